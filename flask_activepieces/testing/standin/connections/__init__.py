"""Connections and their OAuth 2 authorization."""
