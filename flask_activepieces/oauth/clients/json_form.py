"""An OAuth client as JSON, for the API and the command line, with the names of RFC 7591."""

from __future__ import annotations

from typing import Any

from ...clock import as_iso
from .client import OAuthClient


def client_to_json(client: OAuthClient, secret: str | None = None) -> dict[str, Any]:
    """The client as JSON; with its secret only when that is new."""
    client_json: dict[str, Any] = {
        "client_id": client.client_id,
        "tenant_id": client.tenant_id,
        "name": client.name,
        "description": client.description,
        "public": not client.is_confidential,
        "redirect_uris": list(client.redirect_uris),
        "scope": client.scope,
        "grant_types": list(client.grant_types),
        "require_pkce": client.require_pkce,
        "remember_consent": client.remember_consent,
        "can_introspect": client.can_introspect,
        "integration_id": client.integration_id,
        "created_at": as_iso(client.created_at),
        "tokens_issued": client.tokens_issued,
        "last_issued_at": as_iso(client.last_issued_at) if client.last_issued_at else None,
        "disabled_at": as_iso(client.disabled_at) if client.disabled_at else None,
    }
    return client_json | ({"client_secret": secret} if secret is not None else {})
