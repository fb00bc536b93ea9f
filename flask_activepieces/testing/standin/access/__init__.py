"""Accounts, users, projects, members, invitations and signing keys."""
