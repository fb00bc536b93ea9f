"""Checks of what is in the database."""
