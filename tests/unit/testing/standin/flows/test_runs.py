"""Runs of flows: the inputs of steps, failures, and responses to callers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flask_activepieces.testing import Action, ActionCall, ActivepiecesServer, StandinPiece, StepFailed
from flask_activepieces.testing.standin.pieces.piece import WebhookResponse
from tests.support.clock import StoppedClock
from tests.support.standin import Standin, action, answering
from tests.support.standin import standin as calls

ECHO = "@acme/piece-echo"
SECRET = {"type": "SECRET_TEXT", "secret_text": "canary-1"}


def echo(name: str, connection: str = "key", **given: Any) -> dict[str, Any]:
    return action(name, ECHO, "echo", auth=f"{{{{connections['{connection}']}}}}", **given)


def test_a_step_gets_its_connection_and_the_data_of_the_caller(standin: Standin) -> None:
    standin.connect("key", ECHO, SECRET)
    said = "Hello {{trigger['output'].body.name}}"
    flow_id = standin.flow(echo("step_1", said=said), answering("step_2", "{{step_1['output']}}", status=202))

    answer = standin.ask("POST", f"/webhooks/{flow_id}/sync", {"name": "Ada"})

    assert answer.status_code == 202
    assert answer.get_json() == {"auth": SECRET, "said": "Hello Ada"}


def test_a_run_shows_the_results_of_its_steps_without_secrets(standin: Standin) -> None:
    standin.connect("key", ECHO, SECRET)
    flow_id = standin.flow(echo("step_1", note="n"), answering("step_2", "done"))
    standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    run = standin.get(f"/flow-runs/{standin.runs(flow_id)[0]['id']}")

    assert run["status"] == "SUCCEEDED"
    assert run["stepsCount"] == 2
    assert run["steps"]["step_1"]["input"] == {"auth": "**REDACTED**", "note": "n"}


def test_inputs_and_outputs_of_steps_are_encrypted_at_rest(standin: Standin, server: ActivepiecesServer) -> None:
    standin.connect("key", ECHO, SECRET)
    flow_id = standin.flow(echo("step_1"), answering("step_2", "done"))
    standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    assert "canary-1" not in json.dumps(server.state.store.all("flow_run"))


def test_a_failed_flow_lets_its_caller_wait_for_the_timeout(standin: Standin, clock: StoppedClock) -> None:
    flow_id = standin.flow(echo("step_1", "gone"), answering("step_2", "never"))
    before = clock.now

    answer = standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    assert (answer.status_code, answer.data) == (204, b"")
    assert clock.now - before == 30
    run = standin.runs(flow_id)[0]
    assert (run["status"], run["stepsCount"]) == ("FAILED", 0)
    assert run["failedStep"]["name"] == "step_1"
    assert '"errorName":"ConnectionNotFound"' in run["failedStep"]["message"]


def test_the_short_form_of_an_error_is_truncated(standin: Standin) -> None:
    flow_id = standin.flow(echo("step_1", "gone"))
    standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    run = standin.get(f"/flow-runs/{standin.runs(flow_id)[0]['id']}")

    assert run["failedStep"]["message"].endswith("…")
    whole = json.loads(run["steps"]["step_1"]["errorMessage"])
    assert json.loads(whole["message"]) == {"message": "connection (gone) not found"}


def test_a_connection_without_its_oauth_app_fails_the_step(
    standin: Standin, server: ActivepiecesServer, clock: StoppedClock
) -> None:
    connection_id = standin.connect("key", ECHO, SECRET)
    orphan = {
        "type": "PLATFORM_OAUTH2",
        "client_id": "of an app that was deleted",
        "refresh_token": "r",
        "claimed_at": int(clock.now) - 7200,
    }
    store = server.state.store
    changes = {"type": "PLATFORM_OAUTH2", "sealed": store.encrypt(orphan)}
    store.change("app_connection", connection_id, **changes)
    flow_id = standin.flow(echo("step_1"))

    assert standin.ask("POST", f"/webhooks/{flow_id}/sync", {}).status_code == 204
    assert "ConnectionLoadingError" in standin.runs(flow_id)[0]["failedStep"]["message"]


def test_a_flow_without_a_response_succeeds_with_an_empty_response(standin: Standin) -> None:
    standin.connect("key", ECHO, SECRET)
    flow_id = standin.flow(echo("step_1"))

    assert standin.ask("POST", f"/webhooks/{flow_id}/sync", {}).status_code == 204
    assert standin.runs(flow_id)[0]["status"] == "SUCCEEDED"


def test_an_asynchronous_webhook_returns_immediately(
    standin: Standin, server: ActivepiecesServer, clock: StoppedClock
) -> None:
    flow_id = standin.flow(echo("step_1", "gone"))
    before = clock.now

    answer = standin.ask("POST", f"/webhooks/{flow_id}", {})
    server.finish_runs()

    assert (answer.status_code, answer.get_json()) == (200, {})
    assert clock.now == before
    assert standin.runs(flow_id)[0]["status"] == "FAILED"


def test_without_a_worker_nothing_runs() -> None:
    clock = StoppedClock()
    server = ActivepiecesServer(has_worker=False, clock=clock, sleep=clock.advance)
    standin = calls(server)
    flow_id = standin.flow(answering("step_1", "never"))

    standin.ask("POST", f"/webhooks/{flow_id}", {})
    answer = standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    assert answer.status_code == 204
    assert standin.runs(flow_id) == []
    server.close()


def test_a_failed_run_is_retried_from_the_failed_step(standin: Standin, server: ActivepiecesServer) -> None:
    standin.connect("first", ECHO, SECRET)
    flow_id = standin.flow(echo("step_1", "first"), echo("step_2"))
    standin.ask("POST", f"/webhooks/{flow_id}/sync", {})
    failed = standin.runs(flow_id)[0]
    assert failed["failedStep"]["name"] == "step_2"

    standin.connect("key", ECHO, SECRET)
    request = {"projectId": server.project_id, "strategy": "FROM_FAILED_STEP"}
    retried = standin.post(f"/flow-runs/{failed['id']}/retry", request)
    server.finish_runs()

    assert (retried["id"], retried["status"]) == (failed["id"], "QUEUED")
    run = standin.get(f"/flow-runs/{failed['id']}")
    assert (run["status"], run["failedStep"], run["stepsCount"]) == ("SUCCEEDED", None, 2)


def test_a_run_is_retried_with_the_published_version(standin: Standin, server: ActivepiecesServer) -> None:
    flow_id = standin.flow(echo("step_1", "gone"))
    standin.ask("POST", f"/webhooks/{flow_id}/sync", {})
    run_id = standin.runs(flow_id)[0]["id"]
    flow = standin.operate(flow_id, "UPDATE_ACTION", answering("step_1", "better"))
    standin.operate(flow_id, "LOCK_AND_PUBLISH", {})

    request = {"projectId": server.project_id, "strategy": "ON_LATEST_VERSION"}
    retried = standin.post(f"/flow-runs/{run_id}/retry", request)
    server.finish_runs()

    assert retried["flowVersionId"] == flow["version"]["id"]
    assert standin.get(f"/flow-runs/{run_id}")["status"] == "SUCCEEDED"


def test_runs_are_listed_newest_first_and_page_by_page(standin: Standin, clock: StoppedClock) -> None:
    flow_id = standin.flow(answering("step_1", "ok"))
    for _ in range(3):
        standin.ask("POST", f"/webhooks/{flow_id}/sync", {})
        clock.advance(0.001)  # all in one second: this cursor skips nothing
    query = f"/flow-runs?projectId={standin.server.project_id}&limit=2"

    first = standin.get(query)
    second = standin.get(f"{query}&cursor={first['next']}")

    seen = [run["id"] for run in first["data"] + second["data"]]
    assert seen == [run["id"] for run in standin.runs(flow_id)]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["status=FAILED", "createdAfter=2999-01-01", "createdBefore=2000-01-01", "tags=x"])
def test_runs_are_filtered(standin: Standin, query: str) -> None:
    flow_id = standin.flow(answering("step_1", "ok"))
    standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    found = standin.get(f"/flow-runs?projectId={standin.server.project_id}&{query}")

    assert len(standin.runs(flow_id)) == 1
    assert found["data"] == []


def refuse(call: ActionCall) -> Any:
    raise StepFailed("HttpError", "401")


def break_down(call: ActionCall) -> Any:
    raise ZeroDivisionError("by zero")


FAULTY = StandinPiece(
    "@acme/piece-faulty",
    actions={
        "refuse": Action("Refuse", refuse),
        "break_down": Action("Break", break_down),
        "go_on": Action("Go on", lambda call: WebhookResponse(200, {}, "early", final=False)),
    },
)


@pytest.mark.parametrize(
    ("piece", "name", "error"),
    [
        ("@acme/piece-faulty", "refuse", "HttpError"),
        ("@acme/piece-faulty", "break_down", "ZeroDivisionError"),
        ("@acme/piece-faulty", "unheard_of", "ActionNotFound"),
        ("@acme/piece-unheard-of", "refuse", "ActionNotFound"),
    ],
)
def test_any_error_of_a_piece_fails_its_step(piece: str, name: str, error: str) -> None:
    clock = StoppedClock()
    server = ActivepiecesServer(pieces=[FAULTY], clock=clock, sleep=clock.advance)
    standin = calls(server)
    flow_id = standin.flow(action("step_1", piece, name))

    standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    run = standin.get(f"/flow-runs/{standin.runs(flow_id)[0]['id']}")
    assert json.loads(run["steps"]["step_1"]["errorMessage"])["errorName"] == error
    server.close()


def test_a_flow_may_continue_after_its_response() -> None:
    server = ActivepiecesServer(pieces=[FAULTY])
    standin = calls(server)
    flow_id = standin.flow(
        action("step_1", "@acme/piece-faulty", "go_on"), action("step_2", "@acme/piece-faulty", "refuse")
    )

    assert standin.ask("POST", f"/webhooks/{flow_id}/sync", {}).text == "early"
    assert standin.runs(flow_id)[0]["failedStep"]["name"] == "step_2"
    server.close()


def test_a_redirect_is_a_valid_response(standin: Standin) -> None:
    step = answering("step_1", "https://example.com/next")
    step["settings"]["input"]["responseType"] = "redirect"
    flow_id = standin.flow(step)

    answer = standin.ask("GET", f"/webhooks/{flow_id}/sync")

    assert (answer.status_code, answer.headers["Location"]) == (301, "https://example.com/next")


def test_a_webhook_accepts_at_most_25_megabytes(standin: Standin) -> None:
    flow_id = standin.flow(answering("step_1", "ok"))

    answer = standin.ask("POST", f"/webhooks/{flow_id}/sync", data=b"x" * (25 * 1024 * 1024 + 1))

    assert answer.status_code == 413
    assert standin.runs(flow_id) == []
