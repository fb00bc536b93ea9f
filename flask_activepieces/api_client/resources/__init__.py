"""Activepieces' API, with one file for each kind of resource."""
