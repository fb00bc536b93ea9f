"""Subscriptions of flows to the app's events, and the delivery of these events."""
