"""Runs a version of a flow step by step, until a step fails or sends the final response."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..pieces.calls import ActionCall
from ..pieces.catalogue import behavior_of, find_piece
from ..pieces.piece import Action, StandinPiece, StepFailed, WebhookResponse
from ..routing.responses import Json, Row
from ..state import ServerState
from .contexts import FlowFiles, FlowStore, call_fields, resolve_inputs
from .flow_versions import steps_of

#: Seconds before each repetition of a step that is retried on failure.
_RETRIES = (4.0, 8.0, 16.0)


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
    for step in steps_of(version):
        if outcome.steps.get(step["name"], {}).get("status") == "SUCCEEDED":
            continue
        _run_step(state, step, run, outcome)
        if outcome.failed is not None or (outcome.response and outcome.response.final):
            break
    return outcome


def _run_step(state: ServerState, step: Row, run: Row, outcome: Outcome) -> None:
    result: Row = {"type": step["type"], "status": "FAILED", "input": {}}
    outcome.steps[step["name"]] = result
    started = time.perf_counter()
    try:
        result["output"] = _output(state, step, run, outcome)
        result["status"] = "SUCCEEDED"
    except StepFailed as error:
        result["errorMessage"] = error.report()
        if not _is_chosen(step, "continueOnFailure"):
            outcome.failed, outcome.error = step, error
    result["duration"] = (time.perf_counter() - started) * 1000


def _output(state: ServerState, step: Row, run: Row, outcome: Outcome) -> Json:
    piece, action = _action(state, step)
    scope = {name: {"output": done.get("output")} for name, done in outcome.steps.items()}
    project_id = run["projectId"]
    inputs = resolve_inputs(state, project_id, piece, step["settings"], props=action.props, scope=scope)
    outcome.steps[step["name"]]["input"] = inputs.redacted
    call = ActionCall(
        **call_fields(state, project_id, piece, step["name"], inputs.values),
        run={"id": run["id"]},
        store=FlowStore(state, {"id": run["flowId"], "projectId": project_id}),
        files=FlowFiles(state, project_id),
    )
    returned = _run_action(state, step, action, call)
    if not isinstance(returned, WebhookResponse):
        return returned
    outcome.response = returned
    return {"status": returned.status, "headers": dict(returned.headers), "body": returned.body}


def _action(state: ServerState, step: Row) -> tuple[StandinPiece, Action]:
    settings = step["settings"]
    name, action_name = settings.get("pieceName", ""), settings.get("actionName")
    row = find_piece(state, name, settings.get("pieceVersion"))
    piece = behavior_of(state, row) if row else None
    if piece is None or step["type"] != "PIECE" or action_name not in piece.actions:
        raise StepFailed("ActionNotFound", f"the stand-in has no action {action_name} of {name}")
    return piece, piece.actions[action_name]


def _run_action(state: ServerState, step: Row, action: Action, call: ActionCall) -> Json:
    """Run the action; if the author chose to retry on failure, several times, later each time."""
    for seconds in _RETRIES if _is_chosen(step, "retryOnFailure") else ():
        try:
            return _attempt(action, call)
        except StepFailed:
            state.sleep(seconds)
    return _attempt(action, call)


def _attempt(action: Action, call: ActionCall) -> Json:
    try:
        return action.run(call)
    except StepFailed:
        raise
    except Exception as error:  # any error in the code of a piece fails its step
        raise StepFailed(type(error).__name__, str(error)) from error


def _is_chosen(step: Row, option: str) -> bool:
    chosen = (step["settings"].get("errorHandlingOptions") or {}).get(option) or {}
    return bool(chosen.get("value"))
