"""Triggers: their hooks, the events that start flows, and runs of tests."""
