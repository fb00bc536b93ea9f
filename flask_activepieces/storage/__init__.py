"""Our tables, and how they are read and written."""
