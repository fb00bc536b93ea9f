"""Runs the app's actions: checked input in, JSON out, and not twice for one idempotency key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, current_app
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from ...pieces.declarations import Action
from ...pieces.files import FileResult, encode_files
from ...pieces.idempotency import ActionCalls, Call
from ..api.operations import load
from ..api.problems import Problem, ProblemType
from ..repeated_calls import call_of, rollback, try_to
from .base import Caller, bearer_view, declared
from .uploads import read_inputs


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
    call = call_of(action, caller.token, fingerprint)
    if call is None:
        return _json(_run(action, inputs))
    return _json(_run_once(caller.state.action_calls, call, lambda: _run(action, inputs)))


def run_function(action: Action, inputs: Mapping[str, Any]) -> Any:
    """The output of an action that is a function, dumped by its schema."""
    function = current_app.ensure_sync(action.function)
    output = function(inputs) if action.input else function()
    if action.output is not None and output is not None and not isinstance(output, FileResult):
        output = action.output.dump(output)
    return output


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
        try_to(calls.release, call)
        raise
    try_to(calls.keep, call, output)
    return output


def _json(text: str) -> Response:
    return Response(text, content_type="application/json")
