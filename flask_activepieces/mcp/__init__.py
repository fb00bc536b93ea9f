"""The Model Context Protocol: the app's actions as tools for agents. This package uses neither HTTP nor Flask."""
