"""Public documents: the keys that verify our tokens, and the two well-known metadata documents."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Response, abort, jsonify

from ...oauth import metadata
from ...oauth.resources import API
from ...state import get_state

#: Caches may keep them.
_HEADERS = {"Cache-Control": "public, max-age=300"}


def _public_document(view: Callable[..., dict[str, Any]]) -> Callable[..., Response]:
    @wraps(view)
    def wrapper(**path: str) -> Response:
        response = jsonify(view(**path))
        response.headers.update(_HEADERS)
        return response

    return wrapper


@_public_document
def jwks() -> dict[str, Any]:
    """RFC 7517 §5: the public keys; none when tokens are signed with HS256."""
    return get_state().settings.jwt_keys.jwks()


@_public_document
def authorization_server_metadata(path: str = "") -> dict[str, Any]:
    """RFC 8414 §3: at the root, and followed by the issuer's path."""
    state = get_state()
    issuer = state.issuer()
    if path and f"/{path}" != urlsplit(issuer).path:
        abort(404)  # RFC 8414 §3.3: the address of another issuer must not serve our metadata
    base = issuer + state.settings.oauth_prefix
    return metadata.authorization_server(
        issuer,
        base=base,
        scopes=state.settings.scopes,
        accepts_documents=state.accepts_client_documents(),
        accepts_registrations=state.settings.dynamic_registration,
    )


@_public_document
def protected_resource_metadata(path: str = "") -> dict[str, Any]:
    """RFC 9728 §3: the resource at this path: the API, or the MCP endpoint."""
    state = get_state()
    issuer, resources = state.issuer(), state.resources()
    # §3.3: the resource is the requested URL without its well-known part.
    parts = urlsplit(issuer)
    url = f"{parts.scheme}://{parts.netloc}/{path}" if path else issuer
    resource = resources.find(url)
    if resource is None:
        abort(404)  # not the URL of a resource, or another app under the same host name
    if resource == API:
        name, scopes = state.title(), list(state.settings.scopes)
    else:
        name, scopes = f"{state.title()} (MCP)", state.piece.definition().tool_scopes
    return metadata.protected_resource(url, issuer=issuer, name=name, scopes=scopes)
