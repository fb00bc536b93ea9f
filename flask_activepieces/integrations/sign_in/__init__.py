"""Connections that need a sign-in: one click to the app itself, or at a third party."""
