"""Dynamic client registration (RFC 7591), and reading and deleting a registration (RFC 7592); off by default.

Errors are those of RFC 7591 §3.2.2. The routes read no cookie.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Response, abort, request, url_for
from werkzeug.exceptions import HTTPException

from ...oauth.clients.client import OAuthClient
from ...oauth.clients.metadata import InvalidMetadata, parse_json_object
from ...state import State, get_state
from ...storage.rate_limit import WINDOW, address_key
from ..bearer import bearer_token
from ..error_responses import NO_STORE, error_response

MAX_BODY_BYTES = 64 * 1024
#: How many clients an address may register in a minute.
MAX_REGISTRATIONS = 10


def _registration_view(view: Callable[..., Response]) -> Callable[..., Response]:
    """Decorate a view that exists only in an app with dynamic registration."""

    @wraps(view)
    def wrapper(**path: str) -> Response:
        state = get_state()
        if not state.settings.dynamic_registration:
            abort(404)
        return view(state, **path)

    return wrapper


@_registration_view
def register(state: State) -> Response:
    """RFC 7591 §3.1."""
    if not state.rate_limiter.hit(f"registration {address_key(request.remote_addr)}", state.now(), MAX_REGISTRATIONS):
        description = "Too many clients were registered from this address."
        return error_response(429, "temporarily_unavailable", description, retry_after=WINDOW)
    try:
        registration = state.dynamic_clients.register(parse_json_object(_read_body()))
    except InvalidMetadata as error:
        code = "invalid_redirect_uri" if error.field == "redirect_uris" else "invalid_client_metadata"
        return error_response(400, code, _ascii(error.reason))
    secret = {}
    if registration.secret is not None:
        # RFC 7591 §3.2.1: 0 for a secret that does not expire.
        secret = {"client_secret": registration.secret, "client_secret_expires_at": 0}
    return _client_response(state, registration.client, registration.token, secret, status=201)


@_registration_view
def show_registration(state: State, client_id: str) -> Response:
    """RFC 7592 §2.1. The secret is not known any more, only its hash."""
    found = _authenticate(state, client_id)
    return found if isinstance(found, Response) else _client_response(state, *found)


@_registration_view
def delete_registration(state: State, client_id: str) -> Response:
    """RFC 7592 §2.3: the client, its grants and its tokens."""
    found = _authenticate(state, client_id)
    if isinstance(found, Response):
        return found
    state.oauth_clients.delete(found[0])
    return Response(status=204, headers=NO_STORE)


def _authenticate(state: State, client_id: str) -> tuple[OAuthClient, str] | Response:
    """The client whose registration token is in the request, with the token; an error for any other (§3)."""
    token = bearer_token(request.headers.get("Authorization"))
    client = state.dynamic_clients.find(client_id, token or "")
    if token is not None and client is not None:
        return client, token
    response = error_response(401, "invalid_token", "This is not the registration access token of the client.")
    response.headers["WWW-Authenticate"] = 'Bearer realm="registration", error="invalid_token"'
    key = f"registration {address_key(request.remote_addr)} {client_id}"
    if not state.failure_limiter.record_failure(key, state.now()):
        response.status_code = 429
        response.headers["Retry-After"] = str(WINDOW)
    return response


def _client_response(
    state: State, client: OAuthClient, token: str, secret: Mapping[str, Any] | None = None, *, status: int = 200
) -> Response:
    path = url_for("activepieces.show_registration", client_id=client.client_id)
    body = {
        **state.dynamic_clients.describe(client),
        **(secret or {}),
        "registration_access_token": token,
        "registration_client_uri": state.issuer() + path.removeprefix(request.script_root),
    }
    return Response(json.dumps(body), status, NO_STORE, content_type="application/json")


def _read_body() -> bytes:
    if not request.is_json:
        raise InvalidMetadata("", "The content type must be application/json.")
    # One byte more than allowed: a body without a length is silently truncated at the limit.
    request.max_content_length = MAX_BODY_BYTES + 1
    try:
        body = request.get_data()
    except HTTPException:
        body = None
    if body is None or len(body) > MAX_BODY_BYTES:
        raise InvalidMetadata("", "The metadata is too large.")
    return body


def _ascii(reason: str) -> str:
    """RFC 6749 §5.2: the characters that a description may have."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in reason)
