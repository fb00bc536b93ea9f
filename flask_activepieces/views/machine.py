"""The endpoints that programs talk to: /token, /revoke, /introspect. Forms in, RFC 6749 JSON out, nothing kept.

They look at no cookie, so they need no CSRF token. Whatever comes in, what goes out is the RFC's error: a 4xx
for bad input, and 503 while storage is away, for then nothing is known about the grant.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from flask import Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ..budget import WINDOW
from ..database import Transaction
from ..errors import Disabled, SetupError, Unavailable
from ..oauth.client_auth import read_credentials
from ..oauth.endpoints import IntrospectionEndpoint, RevocationEndpoint
from ..oauth.requests import MOST_BYTES, MachineRequest, read_form
from ..oauth.server import NO_STORE, OAuthServer
from ..state import State, get_state

Respond = Callable[[OAuthServer, MachineRequest], Response]

#: Seconds after which a client whose integration is switched off may look again.
_LOOK_AGAIN = 60 * 60


def token() -> Response:
    """RFC 6749 §3.2."""
    return _answer(OAuthServer.answer_token)


def revoke() -> Response:
    """RFC 7009 §2."""
    return _answer(lambda server, asked: server.answer(RevocationEndpoint.ENDPOINT_NAME, asked))


def introspect() -> Response:
    """RFC 7662 §2."""
    return _answer(lambda server, asked: server.answer(IntrospectionEndpoint.ENDPOINT_NAME, asked))


def _answer(respond: Respond) -> Response:
    state = get_state()
    try:
        return _within_budget(state, _Attempt(state, _read(), respond))
    except OAuth2Error as error:
        return error_response(error.status_code, error.error, error.description)
    except Unavailable as error:
        return error_response(
            503, "temporarily_unavailable", str(error), retry_after=error.retry_after
        )
    except Disabled as error:
        return error_response(503, "temporarily_unavailable", error.reason, retry_after=_LOOK_AGAIN)
    except SetupError as error:
        return error_response(500, "server_error", str(error))


def _read() -> dict[str, str]:
    if request.method != "POST":
        raise _method_not_allowed()
    # One byte more than may come: a body without a length is cut off silently where the bound is.
    request.max_content_length = MOST_BYTES + 1
    try:
        body = request.get_data()
        if len(body) > MOST_BYTES:
            raise RequestEntityTooLarge
        # Parsed here, which is quicker; unless something of the host's has read the form already.
        pairs = _pairs(body) if body else list(request.form.items(multi=True))
    except HTTPException as error:
        # A body over the bound, a length that is a lie.
        raise _unreadable(error.code) from None
    except ValueError:
        raise _unreadable() from None
    return read_form(request.content_type, pairs)


def _pairs(body: bytes) -> list[tuple[str, str]]:
    # RFC 6749 appendix B: UTF-8, and nothing else.
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict")


def _unreadable(status: int | None = None) -> OAuth2Error:
    return InvalidRequestError("The request body cannot be read.", status_code=status)


class _Attempt:
    """One machine request; it may run in several transactions, of which one is committed."""

    def __init__(self, state: State, form: dict[str, str], respond: Respond) -> None:
        self._state = state
        self._form = form
        self._respond = respond
        self.failed = False
        self._last: MachineRequest | None = None

    def run(self) -> Response:
        return self._state.database.transact(self._run_once)

    def _run_once(self, transaction: Transaction) -> Response:
        self.failed = False
        issuer = self._state.issuer()
        machine_request = MachineRequest(
            uri=issuer + request.path,
            form=self._form,
            authorization=request.headers.get("Authorization"),
            issuer=issuer,
            now=self._state.now(),
            transaction=transaction,
            bought=self._last.bought if self._last else None,
            code_is_taken=self._last is not None and self._last.code_is_taken,
            failed_attempt=self._note_failure,
        )
        self._last = machine_request
        return self._respond(self._state.server, machine_request)

    def who(self) -> str:
        """Whose failure it was: by the id as it is understood, for a Basic header has very many spellings of one."""
        try:
            authorization = request.headers.get("Authorization")
            claimed = read_credentials(self._form, authorization).client_id
        except OAuth2Error:
            claimed = ""
        return f"{request.remote_addr} {claimed}"

    def _note_failure(self) -> None:
        self.failed = True


def _within_budget(state: State, attempt: _Attempt) -> Response:
    response = attempt.run()
    if attempt.failed and not state.budget.spend(attempt.who(), now=state.now()):
        # RFC 6585 §4; the error itself stays what it is, so that a client is not misled about its cause.
        response.status_code = 429
        response.headers["Retry-After"] = str(WINDOW)
    return response


def _method_not_allowed() -> OAuth2Error:
    return InvalidRequestError("This endpoint answers POST only.", status_code=405)


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
