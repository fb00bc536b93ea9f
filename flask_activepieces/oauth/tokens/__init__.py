"""From the code to tokens; refresh, revocation and introspection."""
