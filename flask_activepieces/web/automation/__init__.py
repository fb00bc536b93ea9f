"""The automation area: the pages on which the admins of a tenant manage Activepieces from inside the app."""
