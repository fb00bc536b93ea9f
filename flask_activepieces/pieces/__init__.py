"""The piece: what Activepieces shows and calls of the app."""
