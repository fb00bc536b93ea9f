"""Subscriptions: which flow gets which events, and with whose permissions."""
