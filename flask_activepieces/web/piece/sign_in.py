"""Exchanges a user name and password, or other fields that the app checks, for a token that lives for an hour.

The piece calls this for connections of the kinds ``BASIC_AUTH`` and ``CUSTOM_AUTH``. Passwords can be guessed, so
after too many failures from one address for one account, nothing is checked until the next minute.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...host.interface import Host, Principal
from ...oauth.personal_tokens import SIGN_IN_SECONDS
from ...pieces import auth
from ...pieces.declarations import as_schema
from ...pieces.fields import Secret
from ...pieces.properties import input_fields
from ...state import State, get_state
from ...storage.rate_limit import WINDOW
from ..api.operations import json_body, load
from ..api.problems import Problem, ProblemType
from .account import workspace_of
from .base import filled_fields, limit_body, problem_view

MAX_BODY_BYTES = 64 * 1024
#: Slow hashes of passwords get slower with long ones.
MAX_TEXT = 1024


@dataclass(frozen=True)
class Attempt:
    """An attempt to sign in."""

    #: What names the account, without any secret.
    account: str
    check: Callable[[], Principal | None] = field(repr=False)


@problem_view
def token() -> ResponseReturnValue:
    """The token for valid credentials."""
    limit_body(MAX_BODY_BYTES)
    state = get_state()
    definition = state.piece.definition()
    principal = _sign_in(state, _attempt(state.host, definition.piece.auth, json_body()))
    _, text = state.personal_tokens.create(
        principal.user_id,
        workspace_of(state.host, principal),
        name="Sign-in",
        scopes=definition.scopes,
        expires_at=state.now() + SIGN_IN_SECONDS,
        kind="sign_in",
    )
    return {"access_token": text, "token_type": "Bearer", "expires_in": SIGN_IN_SECONDS}


def _attempt(host: Host, kinds: Iterable[auth.Auth], body: Mapping[str, Any]) -> Attempt:
    match next((kind for kind in kinds if kind.kind == body.get("type")), None):
        case auth.BasicAuth():
            username, password = _text(body, "username"), _text(body, "password")
            return Attempt(username, lambda: host.check_password(username, password))
        case auth.CustomAuth(form=form):
            if not isinstance(body.get("props"), dict):
                raise InvalidInput({"props": "Must be an object."})
            schema, props = as_schema(form), filled_fields(body["props"])
            fields = load(schema, props)
            secret = {name for name, each in input_fields(schema) if isinstance(each, Secret)}
            account = json.dumps({name: value for name, value in props.items() if name not in secret}, sort_keys=True)
            return Attempt(account, lambda: host.check_credentials(fields))
        case _:
            raise InvalidInput({"type": "The piece of this app has no such kind of sign-in."})


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise InvalidInput({name: f"Must be a text of 1 to {MAX_TEXT} characters."})
    return value


def _sign_in(state: State, attempt: Attempt) -> Principal:
    key = f"sign-in {request.remote_addr} {attempt.account}"
    # Every attempt counts, before the password is looked at: a guess after the limit learns nothing.
    if not state.failure_limiter.record_failure(key, state.now()):
        raise Problem(ProblemType.TOO_MANY_ATTEMPTS, "Too many sign-ins.", retry_after=WINDOW)
    principal = attempt.check()
    if principal is None:
        raise Problem(ProblemType.SIGN_IN_FAILED, "The app does not accept these credentials.")
    return principal
