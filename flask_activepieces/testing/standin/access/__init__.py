"""People and what they may do: accounts, users, projects, roles, invitations and signing keys."""
