"""Outside programs: registering them, and proving who they are."""
