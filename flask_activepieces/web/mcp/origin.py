"""Which web pages may call the endpoint, and what browsers need to know for it (CORS).

The specification has every server check the Origin, so that a page cannot reach a server in the visitor's own network
by changing what its name resolves to (DNS rebinding). Programs other than browsers send no Origin.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request

from ...config.urls import is_loopback
from ...errors import SetupError
from ...state import State

#: What a page may send, and what it may read of a response.
_REQUEST_HEADERS = "Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name"
_RESPONSE_HEADERS = "WWW-Authenticate, Retry-After"
_METHODS = "POST"
_PREFLIGHT_SECONDS = 600


def is_allowed(state: State, origin: str | None) -> bool:
    """Whether the request may come from this origin."""
    if origin is None:
        return True
    try:
        issuer = urlsplit(state.issuer())
    except SetupError:
        # The app knows no address of its own, and this name is not one of this machine.
        return False
    if origin.lower() in {f"{issuer.scheme}://{issuer.netloc}".lower(), *state.settings.mcp_origins}:
        return True
    # An app on this machine is called by tools on this machine, such as the MCP Inspector.
    return is_loopback(issuer.hostname or "") and _is_local_page(origin)


def preflight() -> Response:
    """The answer to ``OPTIONS`` (Fetch §3.3.2)."""
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _REQUEST_HEADERS,
        "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
    }
    return Response(status=204, headers=headers)


def with_cors(response: Response) -> Response:
    """The response, which the page that asked may read. No cookie is involved, so none is allowed."""
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
    return response


def _is_local_page(origin: str) -> bool:
    try:
        return is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False
