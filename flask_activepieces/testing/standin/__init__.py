"""The small Activepieces: its app, its stored rows and what it knows of versions."""
