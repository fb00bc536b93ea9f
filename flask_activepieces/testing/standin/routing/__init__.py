"""From requests to route calls: bodies, validation, authentication and responses."""
