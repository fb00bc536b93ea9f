"""The routes that the app's piece calls."""
