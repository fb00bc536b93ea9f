"""Runs a version of a flow step by step, until a step fails or sends the final response."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..connections.engine import read_connection
from ..pieces.catalogue import behaviour_of, find_piece
from ..pieces.piece import Action, ActionCall, StepFailed, WebhookResponse
from ..routing.authentication import engine_token
from ..routing.responses import ErrorResponse, Json, Row
from ..state import ServerState
from .expressions import resolve
from .flow_versions import steps_of

#: Replaces the value of a connection in stored runs.
_REDACTED = "**REDACTED**"


@dataclass
class Outcome:
    """The result of a run: the results of its steps, the failed step, and the response for a waiting caller."""

    steps: dict[str, Row] = field(default_factory=dict, repr=False)
    failed: Row | None = None
    error: StepFailed | None = None
    response: WebhookResponse | None = field(default=None, repr=False)


def run_version(state: ServerState, run: Row, version: Row, *, done: Mapping[str, Row]) -> Outcome:
    """Run all steps except those already done, which always include the trigger."""
    outcome = Outcome(dict(done))
    context = _step_context(state, run)
    for step in steps_of(version):
        if outcome.steps.get(step["name"], {}).get("status") == "SUCCEEDED":
            continue
        _run_step(state, step, context, outcome)
        if outcome.failed is not None or (outcome.response and outcome.response.final):
            break
    return outcome


def _step_context(state: ServerState, run: Row) -> Row:
    """The context that all steps of a run share."""
    project = state.store.get("project", run["projectId"])
    assert project is not None, "a project takes its flows with it"
    external_id = project["externalId"]
    root = state.api_root.removesuffix("v1")
    url = state.url + root
    token = engine_token(state, project["id"])
    return {
        "connections": _Connections(state, project["id"]),
        "server": {"apiUrl": url, "publicUrl": url, "token": token},
        "project": {"id": project["id"]} | ({"externalId": external_id} if external_id else {}),
        "run": {"id": run["id"]},
    }


def _run_step(state: ServerState, step: Row, context: Row, outcome: Outcome) -> None:
    result: Row = {"type": step["type"], "status": "FAILED", "input": {}}
    outcome.steps[step["name"]] = result
    started = time.perf_counter()
    try:
        result["output"] = _output(state, step, context, outcome)
        result["status"] = "SUCCEEDED"
    except StepFailed as error:
        result["errorMessage"] = error.report()
        outcome.failed, outcome.error = step, error
    result["duration"] = (time.perf_counter() - started) * 1000


def _output(state: ServerState, step: Row, context: Row, outcome: Outcome) -> Json:
    action = _action(state, step)
    expressions = step["settings"].get("input", {})
    scope = {name: {"output": done.get("output")} for name, done in outcome.steps.items()}
    inputs = resolve(expressions, {**scope, "connections": context["connections"]})
    outcome.steps[step["name"]]["input"] = resolve(expressions, {**scope, "connections": _RedactedConnections()})
    returned = _run_action(
        action, ActionCall(auth=inputs.get("auth"), props=inputs, step={"name": step["name"]}, **context)
    )
    if not isinstance(returned, WebhookResponse):
        return returned
    outcome.response = returned
    return {"status": returned.status, "headers": dict(returned.headers), "body": returned.body}


def _action(state: ServerState, step: Row) -> Action:
    settings = step["settings"]
    name, action_name = settings.get("pieceName", ""), settings.get("actionName")
    piece = find_piece(state, name, settings.get("pieceVersion"))
    actions = behaviour_of(state, piece).actions if piece else {}
    if step["type"] != "PIECE" or action_name not in actions:
        raise StepFailed("ActionNotFound", f"the stand-in has no action {action_name} of {name}")
    return actions[action_name]


def _run_action(action: Action, call: ActionCall) -> Json:
    try:
        return action.run(call)
    except StepFailed:
        raise
    except Exception as error:  # any error in the code of a piece fails its step
        raise StepFailed(type(error).__name__, str(error)) from error


class _Connections(dict[str, Json]):
    """The connections of a project, each read when an expression refers to it."""

    def __init__(self, state: ServerState, project_id: str) -> None:
        super().__init__()
        self._state = state
        self._project_id = project_id

    def __missing__(self, external_id: str) -> Json:
        try:
            row = read_connection(self._state, self._project_id, external_id)
        except ErrorResponse as error_response:
            message = f"connection ({external_id}) could not be loaded: {error_response.status}"
            raise _connection_error("ConnectionLoadingError", message) from error_response
        if row is None:
            raise _connection_error("ConnectionNotFound", f"connection ({external_id}) not found")
        if row["status"] == "ERROR":
            message = f"connection ({external_id}) expired, reconnect again"
            raise _connection_error("ConnectionExpired", message)
        return row["value"]


class _RedactedConnections(dict[str, Json]):
    """Connections as they may be stored with a run."""

    def __missing__(self, external_id: str) -> str:
        return _REDACTED


def _connection_error(name: str, message: str) -> StepFailed:
    return StepFailed(name, json.dumps({"message": message}, indent=2))
