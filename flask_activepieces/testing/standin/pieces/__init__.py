"""Pieces: the catalogue, archives and the webhook piece."""
