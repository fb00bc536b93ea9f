"""The pieces of the recorded servers, one for each authentication type."""

from __future__ import annotations

from typing import Any

import requests

from flask_activepieces.testing import StandinPiece
from flask_activepieces.testing.standin.pieces.calls import ActionCall
from flask_activepieces.testing.standin.pieces.piece import Action

_NOTE = {"displayName": "Note", "required": False, "type": "SHORT_TEXT"}
_URL = {"displayName": "URL", "required": True, "type": "SHORT_TEXT"}
_BASE_URL = {"displayName": "Base URL", "required": True, "type": "SHORT_TEXT"}
_AUDIENCE = {"displayName": "Audience", "required": False, "type": "SHORT_TEXT"}


def acme_pieces(site: str) -> tuple[StandinPiece, ...]:
    """The pieces of Acme, whose OAuth server is at ``site``, and three public pieces."""
    return (
        _piece(
            "secret",
            "Acme Secret",
            {"type": "SECRET_TEXT", "displayName": "API key", "required": True, "description": "starts with ok-"},
        ),
        _piece("basic", "Acme Basic", {"type": "BASIC_AUTH", "displayName": "x", "required": True}),
        _piece("custom", "Acme Custom", {"type": "CUSTOM_AUTH", "displayName": "x"}),
        _piece("none", "Acme None", None),
        _piece(
            "oauth",
            "Acme OAuth",
            {
                "displayName": "Acme OAuth",
                "required": True,
                "authUrl": f"{site}/oauth/authorize",
                "tokenUrl": f"{site}/oauth/token",
                "scope": ["read", "write"],
                "pkce": True,
                "pkceMethod": "S256",
                "type": "OAUTH2",
            },
        ),
        _piece(
            "oauth-tenant",
            "Acme OAuth tenant",
            {
                "displayName": "Acme OAuth tenant",
                "required": True,
                "authUrl": "{base_url}/oauth/authorize",
                "tokenUrl": "{base_url}/oauth/token",
                "scope": ["read", "{base_url}/.default"],
                "grantType": "both_client_credentials_and_authorization_code",
                "authorizationMethod": "HEADER",
                "props": {"base_url": _BASE_URL, "audience": _AUDIENCE},
                "type": "OAUTH2",
            },
            actions=("whoami",),
        ),
        StandinPiece("@activepieces/piece-slack", version="0.17.2"),
        StandinPiece("@activepieces/piece-http", version="0.11.9"),
        StandinPiece("@activepieces/piece-schedule", version="0.1.17"),
    )


def _piece(
    name: str, display_name: str, auth: dict[str, Any] | None, *, actions: tuple[str, ...] = ("whoami", "call_api")
) -> StandinPiece:
    known = {
        "whoami": Action(
            "Who am I",
            lambda call: {"auth": call.auth, "note": call.props.get("note")},
            description="returns the auth value it was given",
            props={"note": _NOTE},
        ),
        "call_api": Action("Call API", _call_api, description="GET a URL with the bearer token", props={"url": _URL}),
    }
    return StandinPiece(
        f"@activepieces/piece-acme-{name}",
        auth=auth,
        display_name=display_name,
        validate=_secret_is_ok if name == "secret" else None,
        actions={action: known[action] for action in actions},
        logo_url="http://127.0.0.1/logo.svg",
        authors=("local",),
    )


def _secret_is_ok(secret: str) -> str | None:
    return None if secret.startswith("ok-") else "API key must start with ok-"


def _call_api(call: ActionCall) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {call.auth['access_token']}"}
    answer = requests.get(call.props["url"], headers=headers, timeout=5)
    return {"status": answer.status_code, "body": answer.text}
