"""Shared test helpers: fakes of our own interfaces, factories, and checks for external services."""
