"""The small Activepieces: its app, its store and the versions that it can imitate."""
