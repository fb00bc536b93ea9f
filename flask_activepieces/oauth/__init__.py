"""The OAuth 2.0 authorization server, on Authlib. It knows no Flask."""
