"""Every change to a subscription is sent as a signal and audited, with its user and the owner of the flow."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.flows.test_signals_and_audit import recorded_signals
from tests.support.actors import Person, answer_of
from tests.support.clock import START
from tests.support.pieces import WEBHOOK, Flow, create_token, make_piece_app
from tests.support.storage import rows_of


@dataclass
class Scene:
    """Bob has a flow that is enabled."""

    app: Flask
    flow: Flow
    subscription_id: str

    def enable_another_flow(self) -> None:
        answer_of(self.flow.subscribes(url=WEBHOOK[:-1] + "v"), 201)

    def disable_flow(self) -> None:
        assert self.flow.calls("DELETE", f"/subscriptions/{self.subscription_id}").status_code == 204

    def pause(self) -> None:
        self._run("pause")

    def pause_and_resume(self) -> None:
        self._run("pause")
        self._run("resume")

    def _run(self, command: str) -> None:
        arguments = ["activepieces", "deliveries", command, self.subscription_id]
        result = self.app.test_cli_runner().invoke(args=arguments)
        assert result.exit_code == 0, result.output


@pytest.fixture
def scene(make_app: MakeApp) -> Scene:
    app, _ = make_piece_app(make_app)
    flow = Flow(app, create_token(Person(app, "bob")))
    return Scene(app, flow, answer_of(flow.subscribes(), 201)["id"])


#: By event: what causes it, its user, and its reason.
EVENTS: dict[str, tuple[Callable[[Scene], None], str | None, str | None]] = {
    "subscription.created": (Scene.enable_another_flow, "bob", None),
    "subscription.paused": (Scene.pause, None, "paused by an operator"),
    "subscription.resumed": (Scene.pause_and_resume, None, None),
    "subscription.removed": (Scene.disable_flow, "bob", "the flow was disabled"),
}


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_sent_once_and_has_its_audit_row(scene: Scene, name: str) -> None:
    act, user_id, reason = EVENTS[name]
    before = len(rows_of(scene.app, "audit_events"))

    with recorded_signals(scene.app) as received:
        act(scene)

    (event,) = [event for event in received if event.name == name]
    (row,) = [row for row in rows_of(scene.app, "audit_events")[before:] if row["name"] == name]
    assert (event.tenant_id, event.user_id) == (row["tenant_id"], row["user_id"]) == ("acme", user_id)
    assert (event.at, row["at"]) == (START, START)
    assert (event.detail["trigger"], event.detail["owner_id"]) == ("task_done", "bob")
    assert event.detail.get("reason") == reason
    assert json.loads(row["detail"]) == dict(event.detail)


def test_enabling_a_flow_again_sends_no_event(scene: Scene) -> None:
    with recorded_signals(scene.app) as received:
        answer_of(scene.flow.subscribes(), 200)

    assert received == []
