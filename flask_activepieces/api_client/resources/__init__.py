"""One file for each kind of resource in Activepieces' API."""
