"""Runs a version of a flow: one step after the other, until one fails or answers the caller."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..connections.engine import read_connection
from ..pieces.catalogue import behaviour_of, find_piece
from ..pieces.piece import Action, ActionCall, Answer, StepFailed
from ..routing.authentication import engine_token
from ..routing.responses import Json, Refusal, Row
from ..state import World
from .expressions import resolve
from .flow_versions import steps_of

#: What a run keeps in place of a connection's value.
_HIDDEN = "**REDACTED**"


@dataclass
class Outcome:
    """What came of a run: what each step did, the step that failed, and the answer to who waits."""

    steps: dict[str, Row] = field(default_factory=dict, repr=False)
    failed: Row | None = None
    error: StepFailed | None = None
    answer: Answer | None = field(default=None, repr=False)


def run_version(world: World, run: Row, version: Row, *, done: Mapping[str, Row]) -> Outcome:
    """Run all steps but those that are done, of which the trigger is always one."""
    outcome = Outcome(dict(done))
    surroundings = _surroundings(world, run)
    for step in steps_of(version):
        if outcome.steps.get(step["name"], {}).get("status") == "SUCCEEDED":
            continue
        _run_step(world, step, surroundings, outcome)
        if outcome.failed is not None or (outcome.answer and outcome.answer.final):
            break
    return outcome


def _surroundings(world: World, run: Row) -> Row:
    """What the context of every step in a run has."""
    project = world.store.get("project", run["projectId"])
    assert project is not None, "a project takes its flows with it"
    external_id = project["externalId"]
    root = world.api_root.removesuffix("v1")
    url = world.url + root
    token = engine_token(world, project["id"])
    return {
        "connections": _Connections(world, project["id"]),
        "server": {"apiUrl": url, "publicUrl": url, "token": token},
        "project": {"id": project["id"]} | ({"externalId": external_id} if external_id else {}),
        "run": {"id": run["id"]},
    }


def _run_step(world: World, step: Row, surroundings: Row, outcome: Outcome) -> None:
    result: Row = {"type": step["type"], "status": "FAILED", "input": {}}
    outcome.steps[step["name"]] = result
    began = time.perf_counter()
    try:
        result["output"] = _output(world, step, surroundings, outcome)
        result["status"] = "SUCCEEDED"
    except StepFailed as error:
        result["errorMessage"] = error.report()
        outcome.failed, outcome.error = step, error
    result["duration"] = (time.perf_counter() - began) * 1000


def _output(world: World, step: Row, surroundings: Row, outcome: Outcome) -> Json:
    action = _action(world, step)
    asked = step["settings"].get("input", {})
    scope = {name: {"output": done.get("output")} for name, done in outcome.steps.items()}
    given = resolve(asked, {**scope, "connections": surroundings["connections"]})
    outcome.steps[step["name"]]["input"] = resolve(asked, {**scope, "connections": _Hides()})
    returned = _returned(
        action,
        ActionCall(
            auth=given.get("auth"), props=given, step={"name": step["name"]}, **surroundings
        ),
    )
    if not isinstance(returned, Answer):
        return returned
    outcome.answer = returned
    return {
        "status": returned.status,
        "headers": dict(returned.headers),
        "body": returned.body,
    }


def _action(world: World, step: Row) -> Action:
    settings = step["settings"]
    name, wanted = settings.get("pieceName", ""), settings.get("actionName")
    piece = find_piece(world, name, settings.get("pieceVersion"))
    actions = behaviour_of(world, piece).actions if piece else {}
    if step["type"] != "PIECE" or wanted not in actions:
        raise StepFailed("ActionNotFound", f"the stand-in has no action {wanted} of {name}")
    return actions[wanted]


def _returned(action: Action, call: ActionCall) -> Json:
    try:
        return action.run(call)
    except StepFailed:
        raise
    except Exception as error:  # whatever the code of a piece does wrong, its step failed
        raise StepFailed(type(error).__name__, str(error)) from error


class _Connections(dict[str, Json]):
    """The connections of a project, each read at the moment at which an expression names it."""

    def __init__(self, world: World, project_id: str) -> None:
        super().__init__()
        self._world = world
        self._project_id = project_id

    def __missing__(self, external_id: str) -> Json:
        try:
            row = read_connection(self._world, self._project_id, external_id)
        except Refusal as refusal:
            words = f"connection ({external_id}) could not be loaded: {refusal.status}"
            raise _unusable("ConnectionLoadingError", words) from refusal
        if row is None:
            raise _unusable("ConnectionNotFound", f"connection ({external_id}) not found")
        if row["status"] == "ERROR":
            words = f"connection ({external_id}) expired, reconnect again"
            raise _unusable("ConnectionExpired", words)
        return row["value"]


class _Hides(dict[str, Json]):
    """Connections, as a run may remember them."""

    def __missing__(self, external_id: str) -> str:
        return _HIDDEN


def _unusable(name: str, message: str) -> StepFailed:
    return StepFailed(name, json.dumps({"message": message}, indent=2))
