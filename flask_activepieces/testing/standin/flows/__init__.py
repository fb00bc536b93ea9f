"""Flows: their versions, runs and webhooks."""
