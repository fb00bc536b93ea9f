"""Checks of the app itself: its settings, its views, and what its requests look like."""
