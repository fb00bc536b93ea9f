"""OAuth clients: registration and authentication."""
