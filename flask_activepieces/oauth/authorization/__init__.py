"""From the authorization request to the code: what is checked, asked and issued."""
