"""Triggers in Python: what a failing hook does to a flow, which no well-made piece shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from flask_activepieces.testing import ActivepiecesServer, StandinPiece, Trigger, TriggerCall
from tests.support.installed_piece import draft_with, outputs_of, publish, set_status, status_of
from tests.support.standin import Standin
from tests.support.standin import standin as calls

NAME = "@acme/piece-hooks"


def fail(call: TriggerCall) -> Any:
    raise ValueError("the host is away")


@contextmanager
def flow_with(**hooks: Any) -> Iterator[tuple[Standin, str]]:
    """A draft whose trigger has these hooks."""
    piece = StandinPiece(NAME, version="1.0.0", triggers={"on": Trigger("On", **hooks)})
    with closing(ActivepiecesServer(pieces=[piece], sleep=lambda seconds: None)) as server:
        standin = calls(server)
        settings = {"pieceName": NAME, "pieceVersion": "1.0.0", "triggerName": "on", "input": {}}
        trigger = {
            "type": "PIECE_TRIGGER",
            "name": "trigger",
            "displayName": "On",
            "valid": True,
            "settings": settings,
        }
        yield standin, draft_with(standin, trigger)


def test_failing_disable_leaves_the_flow_enabled() -> None:
    """Observed, and the reason why the runtime of the app's piece never raises there."""
    with flow_with(on_disable=fail) as (standin, flow_id):
        publish(standin, flow_id)

        answer = set_status(standin, flow_id, "DISABLED")

        assert (answer.status_code, answer.get_json()["code"]) == (400, "TRIGGER_UPDATE_STATUS")
        assert status_of(standin, flow_id) == "ENABLED"


def test_failing_disable_prevents_a_publication() -> None:
    with flow_with(on_disable=fail) as (standin, flow_id):
        publish(standin, flow_id)

        assert publish(standin, flow_id).status_code == 400
        assert status_of(standin, flow_id) == "ENABLED"


def test_failing_disable_does_not_prevent_a_deletion() -> None:
    with flow_with(on_disable=fail) as (standin, flow_id):
        publish(standin, flow_id)

        assert standin.ask("DELETE", f"/flows/{flow_id}").status_code == 204
        standin.server.finish_runs()
        assert standin.ask("GET", f"/flows/{flow_id}").status_code == 404


@pytest.mark.parametrize("run", [fail, lambda call: None, lambda call: {"not": "a list"}, lambda call: []])
def test_trigger_that_returns_no_items_starts_no_run(run: Callable[[TriggerCall], Any]) -> None:
    with flow_with(run=run) as (standin, flow_id):
        publish(standin, flow_id)

        assert standin.ask("POST", f"/webhooks/{flow_id}", {}).status_code == 200
        assert outputs_of(standin, flow_id) == []


def test_store_of_a_flow_is_its_own_and_that_of_the_project_is_shared() -> None:
    def count(call: TriggerCall) -> list[Any]:
        counts = {}
        for scope in ("FLOW", "PROJECT"):
            counts[scope] = (call.store.get("count", scope) or 0) + 1
            call.store.put("count", counts[scope], scope)
        return [counts]

    with flow_with(run=count) as (standin, first):
        publish(standin, first)
        second = draft_with(standin, standin.get(f"/flows/{first}")["version"]["trigger"])
        publish(standin, second)
        for flow_id in (first, first, second):
            standin.post(f"/webhooks/{flow_id}", {})
            standin.server.finish_runs()

        assert outputs_of(standin, first)[-1] == {"FLOW": 2, "PROJECT": 2}
        assert outputs_of(standin, second) == [{"FLOW": 1, "PROJECT": 3}]


def test_test_run_has_a_store_of_its_own() -> None:
    seen: list[Any] = []

    def remember(call: TriggerCall) -> None:
        call.store.put("where", call.webhook_url)

    def look(call: TriggerCall) -> list[Any]:
        seen.append(call.store.get("where"))
        call.store.delete("where")
        return []

    with flow_with(on_enable=remember, test=look) as (standin, flow_id):
        publish(standin, flow_id)
        version_id = standin.get(f"/flows/{flow_id}")["version"]["id"]
        body = {"projectId": standin.server.project_id, "flowId": flow_id, "flowVersionId": version_id}
        standin.by_admin().post("/test-trigger", {**body, "testStrategy": "TEST_FUNCTION"})

    assert seen == [None]


def test_trigger_without_a_test_function_cannot_be_tried_out() -> None:
    with flow_with() as (standin, flow_id):
        version_id = standin.get(f"/flows/{flow_id}")["version"]["id"]
        body = {"projectId": standin.server.project_id, "flowId": flow_id, "flowVersionId": version_id}

        answer = standin.by_admin().ask("POST", "/test-trigger", {**body, "testStrategy": "TEST_FUNCTION"})

        assert answer.get_json()["code"] == "TEST_TRIGGER_FAILED"


def test_without_a_worker_no_event_starts_a_run() -> None:
    with flow_with() as (standin, flow_id):
        publish(standin, flow_id)
        standin.server.state.has_worker = False

        standin.post(f"/webhooks/{flow_id}", {})

        assert outputs_of(standin, flow_id) == []
