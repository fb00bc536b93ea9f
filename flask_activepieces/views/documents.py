"""What everyone may read: the keys that verify our tokens, and the two well-known documents."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, abort, jsonify

from ..oauth import metadata
from ..state import State, get_state

#: Public documents: any page in any browser may read them (Fetch standard, CORS), and caches may keep them.
_PUBLIC = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}


def jwks() -> Response:
    """RFC 7517 §5: the public keys; none when tokens are signed with HS256."""
    return _public(get_state().settings.jwt_keys.public())


def authorization_server_metadata(path: str = "") -> Response:
    """RFC 8414 §3: at the root, and with the issuer's path behind it."""
    state = get_state()
    issuer = state.issuer()
    _only_at(issuer, path)
    return _public(
        metadata.authorization_server(
            issuer, base=_base(state, issuer), scopes=state.settings.scopes
        )
    )


def protected_resource_metadata(path: str = "") -> Response:
    """RFC 9728 §3: this app as a resource; any path of it is the same resource server."""
    state = get_state()
    issuer = state.issuer()
    return _public(metadata.protected_resource(issuer, path=path, scopes=state.settings.scopes))


def _only_at(issuer: str, path: str) -> None:
    # A document found at another issuer's address must not speak for ours (RFC 8414 §3.3).
    if path and f"/{path}" != urlsplit(issuer).path:
        abort(404)


def _base(state: State, issuer: str) -> str:
    return issuer + state.settings.oauth_prefix


def _public(document: dict[str, Any]) -> Response:
    response = jsonify(document)
    response.headers.update(_PUBLIC)
    return response
