"""The routes of the OAuth server."""
