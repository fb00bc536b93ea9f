"""Runs the app's actions: checked input in, JSON out, and not twice for one idempotency key."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from ...errors import Unavailable
from ...oauth.tokens.access_tokens import AccessToken
from ...pieces.declarations import Action
from ...pieces.files import FileResult, encode_files
from ...pieces.idempotency import ActionCalls, Call
from ..api.operations import load
from ..api.problems import Problem, ProblemType
from .base import Caller, bearer_view, declared
from .uploads import read_inputs

log = logging.getLogger(__name__)

KEY_HEADER = "Idempotency-Key"


@bearer_view
def run_action(caller: Caller, name: str) -> ResponseReturnValue:
    """Run the action with the inputs of the request."""
    action = declared(caller.piece.actions, "action", name)
    caller.require(caller.piece.scopes_of(action))
    route = caller.piece.routes.get(name)
    if route is not None:
        raise Problem(ProblemType.NOT_FOUND, f"This action is the app's own route: {route.method} {route.path}.")
    raw, fingerprint = read_inputs(action.input)
    inputs = load(action.input or Schema(), raw)
    key = request.headers.get(KEY_HEADER)
    if key is None or action.idempotent:
        return _json(_run(action, inputs))
    call = Call.of(key, owner=[*_owner(caller.token), name], fingerprint=fingerprint)
    return _json(_run_once(caller.state.action_calls, call, lambda: _run(action, inputs)))


def run_function(action: Action, inputs: Mapping[str, Any]) -> Any:
    """The output of an action that is a function, dumped by its schema."""
    function = current_app.ensure_sync(action.function)
    output = function(inputs) if action.input else function()
    if action.output is not None and output is not None and not isinstance(output, FileResult):
        output = action.output.dump(output)
    return output


def rollback() -> None:
    """End the transaction of an action that rejected its input or failed: what it wrote is void."""
    current_app.extensions["sqlalchemy"].session.rollback()


def _run(action: Action, inputs: Mapping[str, Any]) -> str:
    """The output as JSON."""
    return current_app.json.dumps(encode_files(run_function(action, inputs)))


def _run_once(calls: ActionCalls, call: Call, run: Callable[[], str]) -> str:
    """The output of the first such call."""
    first = calls.claim(call)
    if first is not None:
        return first
    try:
        output = run()
    except Exception:
        # A repeated call may act.
        rollback()
        _try(calls.release, call)
        raise
    _try(calls.keep, call, output)
    return output


def _try(step: Callable[..., None], *arguments: Any) -> None:
    try:
        step(*arguments)
    except Unavailable:
        # The caller must get the result or error of the action. The claim expires automatically.
        log.warning("The answer of an action was not kept, because the database is unavailable.")


def _owner(token: AccessToken) -> list[str]:
    # Not the token itself: a retry may come with a newer one. With other scopes the answer may differ.
    parts = (token.tenant_id, token.organization_id, token.user_id, token.client_id)
    return [*(part or "" for part in parts), " ".join(sorted(token.scopes))]


def _json(text: str) -> Response:
    return Response(text, content_type="application/json")
