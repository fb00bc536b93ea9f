"""What all routes of the piece share: the token, the JSON, and errors as problem details with a sentence.

The piece shows ``detail`` or ``fields`` to the author of a flow. An exception of the app itself is logged with a
reference, and says nothing else.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Response, current_app, got_request_exception, make_response, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import HTTPException

from ...errors import InvalidInput, NotFound
from ...host.interface import Principal
from ...oauth.tokens.access_tokens import AccessToken
from ...pieces.declarations import Trigger
from ...pieces.definition import PieceDefinition
from ...state import State, get_state
from ..api.operations import invalid_input, load
from ..api.problems import Problem, ProblemType, problem_from
from ..bearer import TokenRejected, authenticate, check_token
from ..error_responses import NO_STORE
from ..routes import View

Declared = TypeVar("Declared")

log = logging.getLogger(__name__)

MAX_JSON_BYTES = 1024 * 1024
#: The key under which marshmallow has the errors of the input as a whole.
_WHOLE_INPUT = "_schema"
_APP_ERROR = "The app failed. Its log explains the cause: reference {}."


@dataclass(frozen=True)
class Caller:
    """Who calls a route of the piece."""

    state: State
    token: AccessToken

    @property
    def piece(self) -> PieceDefinition:
        """The app's declarations."""
        return self.state.piece.definition()

    def require(self, scopes: frozenset[str]) -> None:
        """403 unless the token has these scopes."""
        check_token(self.token, scopes)

    def trigger(self, name: str) -> Trigger:
        """The declared trigger, which the token may use."""
        trigger = declared(self.piece.triggers, "trigger", name)
        self.require(trigger.scopes)
        return trigger

    def principal(self) -> Principal | None:
        """The user of the token; None for a client's own token. 401 if the app no longer has the user there."""
        token = self.token
        if token.user_id is None or token.tenant_id is None:
            return None
        principal = self.state.host.load_principal(token.user_id, token.tenant_id)
        if principal is None:
            raise TokenRejected(401, "invalid_token", "The user of this access token has no access any more.")
        return principal


def bearer_view(function: Callable[..., ResponseReturnValue]) -> View:
    """Decorate a view that the piece calls with its token: it gets the caller."""

    @wraps(function)
    def view(**path: str) -> ResponseReturnValue:
        state = get_state()
        return function(Caller(state, authenticate(state)), **path)

    return problem_view(view)


def problem_view(view: View) -> View:
    """Decorate a view whose errors are problem details."""

    @wraps(view)
    def wrapper(**path: str) -> Response:
        limit_body(MAX_JSON_BYTES)
        try:
            response = make_response(view(**path))
        except Exception as error:
            response = _error_response(error)
        response.headers.update(NO_STORE)
        return response

    return wrapper


def limit_body(most: int) -> None:
    """Let the request's body have this many bytes, or as many as the app allows."""
    request.max_content_length = min(most, current_app.config["MAX_CONTENT_LENGTH"] or most)


def declared(known: Mapping[str, Declared], kind: str, name: str) -> Declared:
    """The declaration with this name; `NotFound` for any other."""
    if name not in known:
        raise NotFound(kind, name)
    return known[name]


def trigger_inputs(trigger: Trigger, form: Any) -> tuple[Any, Mapping[str, Any]]:
    """What the trigger's schema loads from the fields of the form, and the same as JSON."""
    if not isinstance(form, dict):
        raise InvalidInput({"inputs": "Must be an object."})
    filled = filled_fields(form)
    schema = trigger.input or Schema()
    loaded = load(schema, filled)
    return loaded, json.loads(current_app.json.dumps({**filled, **schema.dump(loaded)}))


def filled_fields(form: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with a value: the builder of Activepieces stores a cleared one as null or as an empty text."""
    return {name: value for name, value in form.items() if value not in (None, "")}


def problem_of(error: Exception) -> Problem:
    """The error as a sentence for people; an exception of the app is logged."""
    if isinstance(error, ValidationError):
        error = invalid_input(error)
    if isinstance(error, InvalidInput):
        return Problem(ProblemType.INVALID_INPUT, _sentence(error.fields), fields=error.fields)
    return problem_from(error) or _app_error(error)


def _error_response(error: Exception) -> Response:
    match error:
        case TokenRejected(status=status):
            kind = ProblemType.INSUFFICIENT_SCOPE if status == 403 else ProblemType.INVALID_TOKEN
            members: dict[str, Any] = {"scope": error.scope} if error.scope else {}
            response = Problem(kind, str(error), **members).to_response()
            response.headers["WWW-Authenticate"] = error.challenge(get_state())
            return response
        case HTTPException(response=Response() as response):
            return response
    return problem_of(error).to_response()


def _sentence(fields: Mapping[str, str]) -> str:
    return " ".join(text if name == _WHOLE_INPUT else f"{name}: {text}" for name, text in fields.items())


def _app_error(error: Exception) -> Problem:
    reference = secrets.token_hex(4)
    log.error("Reference %s: %s %r failed.", reference, request.method, request.path, exc_info=error)
    # As Flask itself does: for monitoring.
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
    got_request_exception.send(app, _async_wrapper=app.ensure_sync, exception=error)
    return Problem(ProblemType.APP_ERROR, _APP_ERROR.format(reference), reference=reference)
