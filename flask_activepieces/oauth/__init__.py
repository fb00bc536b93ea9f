"""The OAuth 2.0 authorization server, on Authlib: rules and storage; no Flask request in here but where named."""
