"""Triggers of an installed piece: subscribing, events and samples."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from time import time
from typing import Any

import pytest
from werkzeug.test import Client

from flask_activepieces.testing import ActivepiecesServer, StepFailed
from flask_activepieces.testing.standin.versions import Version
from tests.support.installed_piece import (
    draft_with,
    install_manifest,
    outputs_of,
    piece_trigger,
    publish,
    set_status,
    status_of,
)
from tests.support.piece_host import API, PieceHost, json_of, running_host
from tests.support.piece_manifest import text, trigger
from tests.support.standin import Standin
from tests.support.standin import standin as calls

SUBSCRIPTIONS = f"{API}/subscriptions"
SAMPLES = f"{API}/triggers/done/samples"
POLL = f"{API}/triggers/done/poll"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()


@pytest.fixture
def host() -> Iterator[PieceHost]:
    with running_host() as host:
        host.on("POST", SUBSCRIPTIONS, 201, {"id": "sub-1", "secret": SECRET, "expiresAt": None})
        host.on("DELETE", f"{SUBSCRIPTIONS}/sub-1", 204, b"")
        yield host


class Clock:
    """The real time, which a test can advance."""

    ahead = 0.0

    def __call__(self) -> float:
        return time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def standin(clock: Clock) -> Iterator[Standin]:
    server = ActivepiecesServer(clock=clock, sleep=lambda seconds: None)
    yield calls(server)
    server.close()


@pytest.fixture
def flow_id(standin: Standin, host: PieceHost) -> str:
    """A flow with the webhook trigger ``done``, which is not published yet."""
    install_manifest(standin, host.url, triggers=trigger("done", props={"project": text("Project")}))
    return draft_with(standin, piece_trigger("done", project="p"))


def send(standin: Standin, flow_id: str, uid: str = "evt_1", *, secret: str = SECRET, path: str = "") -> int:
    """Send a signed event to the webhook of the flow; returns the status."""
    body = json.dumps({"id": uid, "type": "done", "timestamp": "2026-11-30T00:00:00Z", "data": {"title": "ä"}})
    timestamp = str(int(standin.server.state.clock()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{uid}.{timestamp}.{body}".encode(), hashlib.sha256)
    headers = {
        "webhook-id": uid,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    target = f"/api/v1/webhooks/{flow_id}{path}"
    answer = Client(standin.server.app).post(target, data=body, content_type="application/json", headers=headers)
    return answer.status_code


def calls_of(host: PieceHost) -> list[tuple[str, str]]:
    return [(request.method, request.target.removeprefix(API)) for request in host.received]


# --- Enabling and disabling ----------------------------------------------------------------------------------------


def test_publishing_subscribes_before_it_answers(standin: Standin, host: PieceHost, flow_id: str) -> None:
    answer = publish(standin, flow_id)

    assert (answer.status_code, answer.get_json()["status"]) == (200, "ENABLED")
    assert json_of(host.last) == {
        "trigger": "done",
        "webhookUrl": f"{standin.server.url}/api/v1/webhooks/{flow_id}",
        "inputs": {"project": "p"},
    }


def test_publishing_that_cannot_subscribe_leaves_a_disabled_flow(
    standin: Standin, host: PieceHost, flow_id: str
) -> None:
    """Observed: its version is locked all the same."""
    host.on("POST", SUBSCRIPTIONS, 422, {"detail": "This workspace is closed."})

    answer = publish(standin, flow_id)

    params = answer.get_json()["params"]
    assert (answer.status_code, answer.get_json()["code"]) == (400, "TRIGGER_UPDATE_STATUS")
    assert (params["flowId"], "This workspace is closed." in params["standardError"]) == (flow_id, True)
    flow = standin.get(f"/flows/{flow_id}")
    assert (flow["status"], flow["version"]["state"], "triggerSource" in flow) == ("DISABLED", "LOCKED", False)


def test_trigger_with_a_missing_connection_cannot_be_enabled(standin: Standin, host: PieceHost, flow_id: str) -> None:
    other = piece_trigger("done")
    other["settings"]["input"] = {"auth": "{{connections['none']}}"}
    standin.operate(flow_id, "UPDATE_TRIGGER", other)

    answer = publish(standin, flow_id)

    assert "connection (none) not found" in answer.get_json()["params"]["standardError"]
    assert host.received == []


def test_required_input_of_a_trigger_must_be_there(standin: Standin, host: PieceHost) -> None:
    number = {"type": "NUMBER", "displayName": "Number", "required": True}
    install_manifest(standin, host.url, triggers=trigger("done", props={"number": number}))

    answer = publish(standin, draft_with(standin, piece_trigger("done", number="many")))

    assert "Expected number, received: many" in answer.get_json()["params"]["standardError"]


def test_disabling_unsubscribes(standin: Standin, host: PieceHost, flow_id: str) -> None:
    publish(standin, flow_id)

    set_status(standin, flow_id, "DISABLED")

    assert calls_of(host) == [("POST", "/subscriptions"), ("DELETE", "/subscriptions/sub-1")]
    assert send(standin, flow_id) == 404


def test_same_status_again_calls_nothing(standin: Standin, host: PieceHost, flow_id: str) -> None:
    publish(standin, flow_id)

    set_status(standin, flow_id, "ENABLED")

    assert len(host.received) == 1


def test_publishing_again_disables_the_old_and_enables_the_new(
    standin: Standin, host: PieceHost, flow_id: str
) -> None:
    publish(standin, flow_id)
    standin.operate(flow_id, "UPDATE_TRIGGER", piece_trigger("done", project="q"))

    publish(standin, flow_id)

    subscribe, unsubscribe, again = host.received
    assert (unsubscribe.method, json_of(again)["inputs"]) == ("DELETE", {"project": "q"})
    assert json_of(subscribe)["webhookUrl"] == json_of(again)["webhookUrl"]


def test_deleting_unsubscribes_after_the_answer(standin: Standin, host: PieceHost, flow_id: str) -> None:
    publish(standin, flow_id)

    answer = standin.ask("DELETE", f"/flows/{flow_id}")
    standin.server.finish_runs()

    assert (answer.status_code, host.last.method) == (204, "DELETE")
    assert send(standin, flow_id) == 410


@pytest.mark.parametrize("version", ["0.78", "0.85", "0.86", "0.92"])
def test_webhook_is_where_the_piece_was_told(version: Version, host: PieceHost) -> None:
    """On 0.78, the proxy in the image adds /api."""
    server = ActivepiecesServer(version=version, sleep=lambda seconds: None)
    standin = calls(server)
    install_manifest(standin, host.url, triggers=trigger("done"))
    flow_id = draft_with(standin, piece_trigger("done"))
    publish(standin, flow_id)

    status = send(standin, flow_id)

    outputs = outputs_of(standin, flow_id)
    server.close()
    (subscribed,) = (json_of(request) for request in host.received if request.target == SUBSCRIPTIONS)
    assert subscribed["webhookUrl"] == f"{server.url}/api/v1/webhooks/{flow_id}"
    assert (status, outputs) == (200, [{"title": "ä"}])


# --- Events --------------------------------------------------------------------------------------------------------


def test_event_starts_a_run_without_its_key(standin: Standin, flow_id: str) -> None:
    publish(standin, flow_id)

    assert send(standin, flow_id) == 200
    assert outputs_of(standin, flow_id) == [{"title": "ä"}]


def test_event_that_comes_twice_starts_one_run(standin: Standin, flow_id: str) -> None:
    publish(standin, flow_id)

    for uid in ("evt_1", "evt_1", "evt_2"):
        send(standin, flow_id, uid)
        standin.server.finish_runs()

    assert len(outputs_of(standin, flow_id)) == 2


def test_event_may_come_again_after_half_a_minute(standin: Standin, clock: Clock, flow_id: str) -> None:
    """Activepieces forgets keys, which is why the app does not send an event again that was accepted."""
    publish(standin, flow_id)
    send(standin, flow_id)
    standin.server.finish_runs()
    clock.ahead = 31

    send(standin, flow_id)

    assert len(outputs_of(standin, flow_id)) == 2


def test_event_with_another_signature_is_accepted_and_ignored(
    standin: Standin, flow_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "flask_activepieces.testing.pieces")
    publish(standin, flow_id)

    status = send(standin, flow_id, secret="whsec_" + base64.b64encode(b"another secret").decode())

    assert (status, outputs_of(standin, flow_id)) == (200, [])
    assert "A webhook call was ignored: its signature does not match." in caplog.text


def test_handshake_is_answered_by_the_piece(standin: Standin, flow_id: str) -> None:
    publish(standin, flow_id)

    answer = Client(standin.server.app).post(
        f"/api/v1/webhooks/{flow_id}", json={}, headers={"webhook-handshake": "abc"}
    )

    assert (answer.status_code, answer.get_json()) == (200, {"handshake": "abc"})
    assert outputs_of(standin, flow_id) == []


def test_renewal_asks_the_app(standin: Standin, host: PieceHost, flow_id: str) -> None:
    publish(standin, flow_id)
    host.on("POST", f"{SUBSCRIPTIONS}/sub-1/renew", 200, {"id": "sub-1", "secret": SECRET})

    standin.server.renew(flow_id)

    assert calls_of(host)[-1] == ("POST", "/subscriptions/sub-1/renew")


def test_renewal_that_fails_says_why(standin: Standin, host: PieceHost, flow_id: str) -> None:
    publish(standin, flow_id)
    host.on("POST", f"{SUBSCRIPTIONS}/sub-1/renew", 401, {})

    with pytest.raises(StepFailed, match="Reconnect: the sign-in to Tasklane has ended."):
        standin.server.renew(flow_id)


# --- Polling -------------------------------------------------------------------------------------------------------


@pytest.fixture
def polled(standin: Standin, host: PieceHost) -> str:
    """An enabled flow that asks for events."""
    host.on("POST", POLL, 200, {"data": [], "cursor": "0"})
    install_manifest(standin, host.url, triggers=trigger("done", kind="POLLING"))
    flow_id = draft_with(standin, piece_trigger("done"))
    assert publish(standin, flow_id).get_json()["triggerSource"]["schedule"]["cronExpression"] == "*/5 * * * *"
    return flow_id


def test_poll_starts_a_run_for_each_event(standin: Standin, host: PieceHost, polled: str) -> None:
    pages = iter([[{"id": "evt_1", "payload": {"n": 1}}, {"id": "evt_2", "payload": {"n": 2}}], []])
    host.on_call("POST", POLL, lambda request: request.answer(200, {"data": next(pages), "cursor": "2"}))

    assert standin.server.poll(polled) == 2
    assert outputs_of(standin, polled) == [{"n": 1}, {"n": 2}]
    assert json_of(host.last)["cursor"] == "2"


def test_poll_that_fails_starts_no_run(standin: Standin, host: PieceHost, polled: str) -> None:
    host.on("POST", POLL, 503, {})

    assert standin.server.poll(polled) == 0


def test_flow_that_is_not_enabled_is_not_polled(standin: Standin, polled: str) -> None:
    set_status(standin, polled, "DISABLED")

    with pytest.raises(AssertionError, match="no enabled flow"):
        standin.server.poll(polled)


# --- Samples -------------------------------------------------------------------------------------------------------


def try_out(standin: Standin, flow_id: str, strategy: str, **changes: Any) -> Any:
    """Ask the builder's question as its user."""
    flow = standin.get(f"/flows/{flow_id}")
    body = {
        "projectId": standin.server.project_id,
        "flowId": flow_id,
        "flowVersionId": flow["version"]["id"],
        "testStrategy": strategy,
        **changes,
    }
    return standin.ask("POST", "/test-trigger", body)


def samples_of(standin: Standin, flow_id: str) -> list[Any]:
    """The stored samples as the builder shows them."""
    query = f"projectId={standin.server.project_id}&flowId={flow_id}"
    return [each["payload"] for each in standin.by_admin().get(f"/trigger-events?{query}")["data"]]


def test_samples_are_shown_newest_first(standin: Standin, host: PieceHost, flow_id: str) -> None:
    """They are stored one by one, so the list is the reverse of what the piece returned."""
    host.on("GET", f"{SAMPLES}", 200, {"data": [{"n": 3}, {"n": 2}, {"n": 1}]})

    shown = try_out(standin.by_admin(), flow_id, "TEST_FUNCTION").get_json()["data"]

    assert [each["payload"] for each in shown] == [{"n": 3}, {"n": 2}, {"n": 1}] == samples_of(standin, flow_id)
    assert shown[0]["sourceName"] == "@tasklane/piece-tasklane@1.0:done"


def test_samples_that_fail_say_why(standin: Standin, host: PieceHost, flow_id: str) -> None:
    host.on("GET", f"{SAMPLES}", 403, {"code": "insufficient_scope", "scope": "tasks:read"})

    answer = try_out(standin.by_admin(), flow_id, "TEST_FUNCTION")

    assert (answer.status_code, answer.get_json()["code"]) == (400, "TEST_TRIGGER_FAILED")
    assert "lacks the permission tasks:read" in answer.get_json()["params"]["message"]


def test_trigger_is_tested_by_users_only(standin: Standin, flow_id: str) -> None:
    assert try_out(standin, flow_id, "TEST_FUNCTION").status_code == 403


@pytest.mark.parametrize("changes", [{"flowId": "0" * 21}, {"flowVersionId": "0" * 21}], ids=str)
def test_trigger_of_an_unknown_flow_is_404(standin: Standin, flow_id: str, changes: Any) -> None:
    assert try_out(standin.by_admin(), flow_id, "TEST_FUNCTION", **changes).status_code == 404


def test_simulation_waits_for_one_event(standin: Standin, host: PieceHost, flow_id: str) -> None:
    """Its store is another than that of the flow, so it has a subscription of its own."""
    try_out(standin.by_admin(), flow_id, "SIMULATION")
    subscribed = json_of(host.last)

    assert send(standin, flow_id, path="/test") == 200
    standin.server.finish_runs()

    assert subscribed["webhookUrl"].endswith(f"/webhooks/{flow_id}/test")
    assert [each["title"] for each in samples_of(standin, flow_id)] == ["ä"]
    assert calls_of(host)[-1] == ("DELETE", "/subscriptions/sub-1")
    assert (status_of(standin, flow_id), outputs_of(standin, flow_id)) == ("DISABLED", [])


def test_simulation_can_be_cancelled(standin: Standin, host: PieceHost, flow_id: str) -> None:
    try_out(standin.by_admin(), flow_id, "SIMULATION")

    body = {"projectId": standin.server.project_id, "flowId": flow_id}
    assert standin.by_admin().ask("DELETE", "/test-trigger", body).status_code == 200
    assert calls_of(host)[-1] == ("DELETE", "/subscriptions/sub-1")


def test_author_may_write_a_sample(standin: Standin, flow_id: str) -> None:
    body = {"projectId": standin.server.project_id, "flowId": flow_id, "mockData": {"n": 9}}

    standin.by_admin().post("/trigger-events", body)

    assert samples_of(standin, flow_id) == [{"n": 9}]
