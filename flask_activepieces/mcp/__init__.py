"""The Model Context Protocol: the app's actions as tools for agents. It knows neither HTTP nor Flask."""
