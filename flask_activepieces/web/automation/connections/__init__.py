"""The pages of connections: list, add, reconnect, replace, delete."""
