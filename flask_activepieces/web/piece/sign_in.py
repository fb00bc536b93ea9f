"""Exchanges a user name and password, or other fields that the app checks, for a token that lives for an hour.

The piece calls this for connections of the kinds ``BASIC_AUTH`` and ``CUSTOM_AUTH``. Passwords can be guessed, so
after too many failures from one address for one account, nothing is checked until the next minute.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from ...errors import InvalidInput
from ...host.interface import Host, Principal
from ...oauth.personal_tokens import SIGN_IN_SECONDS
from ...pieces import auth
from ...pieces.declarations import as_schema
from ...pieces.fields import Secret
from ...pieces.manifest import ADDRESS
from ...pieces.properties import value_fields
from ...state import State, get_state
from ...storage.rate_limit import WINDOW, address_key
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
            return Attempt(_normalized(username), lambda: host.check_password(username, password))
        case auth.CustomAuth(form=form):
            if not isinstance(body.get("props"), dict):
                raise InvalidInput({"props": "Must be an object."})
            schema, props = as_schema(form), filled_fields(body["props"])
            fields = load(schema, props)
            return Attempt(_account(schema, props), lambda: host.check_credentials(fields))
        case _:
            raise InvalidInput({"type": "The piece of this app has no such kind of sign-in."})


def _account(schema: Schema, props: Mapping[str, Any]) -> str:
    """The values that name the account: declared fields that are neither secret nor the address of the app."""
    naming = {
        name: _normalized(str(field.deserialize(props[name])))
        for name, field in value_fields(schema)
        if name in props and name != ADDRESS and not isinstance(field, Secret)
    }
    return json.dumps(naming, sort_keys=True)


def _normalized(name: str) -> str:
    """One spelling of what many apps take for the same name, so that each spelling is no fresh start for guesses."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise InvalidInput({name: f"Must be a text of 1 to {MAX_TEXT} characters."})
    return value


def _sign_in(state: State, attempt: Attempt) -> Principal:
    key = f"sign-in {address_key(request.remote_addr)} {attempt.account}"
    # Every attempt counts, before the password is looked at: a guess after the limit learns nothing.
    if not state.failure_limiter.record_failure(key, state.now()):
        raise Problem(ProblemType.TOO_MANY_ATTEMPTS, "Too many sign-ins.", retry_after=WINDOW)
    principal = attempt.check()
    if principal is None:
        raise Problem(ProblemType.SIGN_IN_FAILED, "The app does not accept these credentials.")
    return principal
