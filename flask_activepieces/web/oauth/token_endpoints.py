"""The endpoints for programs: /token, /revoke, /introspect. Forms in, RFC 6749 JSON out, nothing stored by caches.

They read no cookie, so they need no CSRF token. Bad input of any kind is a 4xx with the RFC's error, and 503 is the
answer while the database is unreachable, for then nothing is known about the grant.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from flask import Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ...errors import ClientDisabled, SetupError, Unavailable
from ...oauth.clients.authentication import InvalidClient, read_credentials
from ...oauth.tokens.client_request import MOST_BYTES, ClientRequest, read_form
from ...oauth.tokens.grant_types import GuessedToken
from ...oauth.tokens.server import NO_STORE, OAuthServer
from ...state import State, get_state
from ...storage.failure_limit import WINDOW
from ..setup_reports import DESCRIPTION, report

Endpoint = Callable[[OAuthServer, ClientRequest], Response]

#: Seconds after which a suspended client may try again.
_DISABLED_RETRY_AFTER = 60 * 60


def token() -> Response:
    """RFC 6749 §3.2."""
    return _respond(OAuthServer.token_response)


def revoke() -> Response:
    """RFC 7009 §2."""
    return _respond(OAuthServer.revocation_response)


def introspect() -> Response:
    """RFC 7662 §2."""
    return _respond(OAuthServer.introspection_response)


def _respond(endpoint: Endpoint) -> Response:
    state = get_state()
    try:
        return _limit_failures(state, endpoint, _client_request(state))
    except OAuth2Error as error:
        return _oauth_error(error)
    except Unavailable as error:
        return error_response(
            503, "temporarily_unavailable", str(error), retry_after=error.retry_after
        )
    except ClientDisabled as error:
        return error_response(
            503, "temporarily_unavailable", str(error), retry_after=_DISABLED_RETRY_AFTER
        )
    except SetupError as error:
        return setup_error_response(error)


def _limit_failures(state: State, endpoint: Endpoint, asked: ClientRequest) -> Response:
    """The endpoint's response; failed attempts to authenticate are counted, and 429 once there are too many."""
    try:
        return endpoint(state.server, asked)
    except (InvalidClient, GuessedToken) as error:
        response = _oauth_error(error)
        if not state.failure_limiter.record_failure(_rate_limit_key(asked), now=state.now()):
            # RFC 6585 §4; the error itself stays what it is, so that a client is not misled about its cause.
            response.status_code = 429
            response.headers["Retry-After"] = str(WINDOW)
        return response


def _rate_limit_key(asked: ClientRequest) -> str:
    """Address and client: the id as it is understood, because a Basic header has many spellings of one id."""
    try:
        client_id = read_credentials(asked.form, asked.authorization).client_id
    except OAuth2Error:
        client_id = ""
    return f"{request.remote_addr} {client_id}"


def _client_request(state: State) -> ClientRequest:
    issuer = state.issuer()
    return ClientRequest(
        uri=issuer + request.path,
        form=_read_form(),
        authorization=request.headers.get("Authorization"),
        issuer=issuer,
        now=state.now(),
    )


def _read_form() -> dict[str, str]:
    if request.method != "POST":
        raise InvalidRequestError("This endpoint answers POST only.", status_code=405)
    # One byte more than is allowed: a body without a length is cut off silently at the limit.
    request.max_content_length = MOST_BYTES + 1
    try:
        body = request.get_data()
        if len(body) > MOST_BYTES:
            raise RequestEntityTooLarge
        # Empty where the host has read the form already.
        pairs = _pairs(body) if body else list(request.form.items(multi=True))
    except HTTPException as error:
        # A body over the limit, or a wrong length.
        raise _unreadable(error.code) from None
    except ValueError:
        raise _unreadable() from None
    return read_form(request.content_type, pairs)


def _pairs(body: bytes) -> list[tuple[str, str]]:
    # RFC 6749 appendix B: UTF-8, and nothing else.
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict")


def _unreadable(status: int | None = None) -> OAuth2Error:
    return InvalidRequestError("The request body cannot be read.", status_code=status)


def _oauth_error(error: OAuth2Error) -> Response:
    response = error_response(error.status_code, error.error, error.description)
    challenge = error.challenge if isinstance(error, InvalidClient) else None
    if challenge:
        response.headers["WWW-Authenticate"] = challenge
    return response


def setup_error_response(error: SetupError) -> Response:
    """RFC 6749 §5.2, without what is for the developer."""
    reference = report(error, request=f"{request.method} {request.path}")
    return error_response(500, "server_error", DESCRIPTION.format(reference))


def error_response(
    status: int, error: str | None, description: str | None, *, retry_after: int | None = None
) -> Response:
    """RFC 6749 §5.2."""
    body = {"error": error} | ({"error_description": description} if description else {})
    response = Response(json.dumps(body), status, NO_STORE, content_type="application/json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if status == 405:
        response.headers["Allow"] = "POST"
    return response
