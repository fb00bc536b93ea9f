"""Clients that no one registered: their id is the URL of a document that describes them."""
