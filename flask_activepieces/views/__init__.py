"""The HTTP edge: `flask.request` and the session live in here; every rule lives further down."""
