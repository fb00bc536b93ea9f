"""How requests become calls of a route: bodies, validation, authentication and responses."""
