"""What everyone may read: the keys that verify our tokens, and the two well-known documents."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Response, abort, jsonify

from ...errors import SetupError
from ...oauth import metadata
from ...state import get_state
from .token_endpoints import setup_error_response

#: Public documents: any page in any browser may read them (Fetch standard, CORS), and caches may keep them.
_PUBLIC = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}


def _document(view: Callable[..., dict[str, Any]]) -> Callable[..., Response]:
    """A view that answers with a public document, or with an error in JSON."""

    @wraps(view)
    def served(**path: str) -> Response:
        try:
            response = jsonify(view(**path))
        except SetupError as error:
            return setup_error_response(error)
        response.headers.update(_PUBLIC)
        return response

    return served


@_document
def jwks() -> dict[str, Any]:
    """RFC 7517 §5: the public keys; none when tokens are signed with HS256."""
    return get_state().settings.jwt_keys.jwks()


@_document
def authorization_server_metadata(path: str = "") -> dict[str, Any]:
    """RFC 8414 §3: at the root, and with the issuer's path behind it."""
    state = get_state()
    issuer = state.issuer()
    if path and f"/{path}" != urlsplit(issuer).path:
        abort(
            404
        )  # RFC 8414 §3.3: what is found at another issuer's address must not speak for ours
    base = issuer + state.settings.oauth_prefix
    return metadata.authorization_server(issuer, base=base, scopes=state.settings.scopes)


@_document
def protected_resource_metadata(path: str = "") -> dict[str, Any]:
    """RFC 9728 §3: this app as a resource; any path of it is the same resource server."""
    state = get_state()
    issuer = state.issuer()
    ours = urlsplit(issuer).path
    if path and f"/{path}" != ours and not f"/{path}".startswith(ours + "/"):
        abort(404)  # beside our path under the same host is somebody else's resource
    return metadata.protected_resource(issuer, path=path, scopes=state.settings.scopes)
