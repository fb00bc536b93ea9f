"""A sample access token."""

from __future__ import annotations

from flask_activepieces.oauth.tokens.access_tokens import AccessToken

from .clock import START

EXPIRES_AT = START + 3600
#: A token of Bob in Acme, which is valid for an hour.
TOKEN = AccessToken(
    jti="jti",
    issuer="https://app.example.com",
    audience="https://app.example.com",
    user_id="bob",
    tenant_id="acme",
    organization_id=None,
    client_id="client",
    grant_id="grant",
    family_id="family",
    scope="tasks:read",
    issued_at=START,
    expires_at=EXPIRES_AT,
)
