"""The token endpoints, for programs: /token, /revoke, /introspect. They read forms, and respond as in RFC 6749.

They read no cookie, so they need no CSRF token. Any invalid input is a 4xx with an error of the RFC. While the
database is unreachable the status is 503, because the grant may be valid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from flask import Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ...errors import ClientDisabled
from ...oauth.clients.authentication import InvalidClient, read_credentials
from ...oauth.tokens.base_server import ClientRequest, reject_duplicates
from ...oauth.tokens.grant_types import GuessedToken
from ...oauth.tokens.server import OAuthServer
from ...state import State, get_state
from ...storage.rate_limit import WINDOW, address_key
from ..error_responses import NO_STORE, error_response

FORM = "application/x-www-form-urlencoded"
MAX_BODY_BYTES = 64 * 1024

#: Seconds after which a suspended client may try again.
_DISABLED_RETRY_AFTER = 60 * 60


def _endpoint(act: Callable[[OAuthServer, ClientRequest], Mapping[str, Any]]) -> Callable[[], Response]:
    """The view that responds with the result of ``act``, or with its error."""

    @wraps(act)
    def view() -> Response:
        state = get_state()
        try:
            client_request = _client_request(state)
            try:
                payload = act(state.server, client_request)
            except (InvalidClient, GuessedToken) as error:
                return _failed_attempt(state, client_request, error)
        except OAuth2Error as error:
            return _oauth_error(error)
        except ClientDisabled as error:
            return error_response(503, "temporarily_unavailable", str(error), retry_after=_DISABLED_RETRY_AFTER)
        return Response(json.dumps(payload), 200, NO_STORE, content_type="application/json")

    return view


#: RFC 6749 §3.2
token = _endpoint(OAuthServer.token)
#: RFC 7009 §2
revoke = _endpoint(OAuthServer.revoke)
#: RFC 7662 §2
introspect = _endpoint(OAuthServer.introspect)


def _failed_attempt(state: State, client_request: ClientRequest, error: OAuth2Error) -> Response:
    """The error; after too many failed attempts to authenticate, its status is 429."""
    response = _oauth_error(error)
    if not state.failure_limiter.record_failure(_rate_limit_key(client_request), now=state.now()):
        # RFC 6585 §4; the error stays the same, so that the client learns its cause.
        response.status_code = 429
        response.headers["Retry-After"] = str(WINDOW)
    return response


def _rate_limit_key(client_request: ClientRequest) -> str:
    """Address and client; the parsed id, because a Basic header can encode one id in many ways."""
    try:
        client_id = read_credentials(client_request.form, client_request.authorization).client_id
    except OAuth2Error:
        client_id = ""
    return f"{address_key(request.remote_addr)} {client_id}"


def _client_request(state: State) -> ClientRequest:
    resources = state.resources()
    return ClientRequest(
        uri=resources.issuer + request.path,
        token_endpoint=f"{resources.issuer}{state.settings.oauth_prefix}/token",
        form=_read_form(),
        authorization=request.headers.get("Authorization"),
        resources=resources,
        now=state.now(),
    )


def _read_form() -> dict[str, str]:
    if request.method != "POST":
        raise InvalidRequestError("This endpoint accepts POST only.", status_code=405)
    # One byte more than allowed: a body without a length is silently truncated at the limit.
    request.max_content_length = MAX_BODY_BYTES + 1
    try:
        body = request.get_data()
        if len(body) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge
        # RFC 6749 appendix B: UTF-8, and nothing else. Empty if the host has already parsed the form.
        pairs = (
            parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
            if body
            else list(request.form.items(multi=True))
        )
    except (HTTPException, ValueError) as error:
        status = error.code if isinstance(error, HTTPException) else None
        message = "The request body cannot be read."
        raise InvalidRequestError(message, status_code=status) from None
    if (request.content_type or "").partition(";")[0].strip().lower() != FORM:
        # RFC 6749 §4.1.3 and appendix B.
        raise InvalidRequestError(f"The request body must be a form: {FORM}.")
    return reject_duplicates(pairs)


def _oauth_error(error: OAuth2Error) -> Response:
    response = error_response(error.status_code, error.error, error.description)
    if isinstance(error, InvalidClient) and error.challenge:
        response.headers["WWW-Authenticate"] = error.challenge
    if error.status_code == 405:
        response.headers["Allow"] = "POST"
    return response
