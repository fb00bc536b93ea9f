"""Pages for users and for the admins of a tenant."""
