"""Linking a tenant to an Activepieces project with a verified key."""
