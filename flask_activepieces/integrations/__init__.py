"""Tenants and their Activepieces projects: who may use which key, and what of a project is whose."""
