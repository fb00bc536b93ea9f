"""What the extension asks of the app that it lives in."""
