"""From the authorization request to the code."""
