"""Every change to integrations and connections is sent as a signal and audited, with the user who made it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from flask_activepieces import get_state, signals
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.flows.test_signals_and_audit import EVENTS as OAUTH_EVENTS
from tests.flows.test_signals_and_audit import recorded_signals
from tests.flows.test_signals_of_subscriptions import EVENTS as SUBSCRIPTION_EVENTS
from tests.support.acme import acme_pieces
from tests.support.api_user import PIECE, ApiUser
from tests.support.clock import START
from tests.support.hosts import HostWithLabs
from tests.support.piece_manifest import manifest
from tests.support.standin import Standin, action, catch_webhook
from tests.support.storage import rows_of


@dataclass
class Scene:
    """Alice of Acme has an integration with one connection."""

    app: Flask
    upstream: ActivepiecesServer
    alice: ApiUser
    integration_id: str
    connection_id: str

    @property
    def setup(self) -> str:
        return f"/setup/{self.integration_id}"

    @property
    def connection(self) -> str:
        return f"/connections/{self.integration_id}/{self.connection_id}"

    def break_and_check(self) -> None:
        self.upstream.state.store.change("app_connection", self.connection_id, status="ERROR")
        self.app.test_cli_runner().invoke(args=["activepieces", "integrations", "check"])

    def move_to_another_project(self) -> None:
        self.alice.patches(self.setup, {"projectId": self.upstream.project_id})

    def change_mcp(self) -> None:
        self.alice.patches(self.setup, {"userToken": self.upstream.user_token()})
        self.alice.patches(f"/mcp/{self.integration_id}", {"disabledTools": ["ap_list_flows"]})

    def replace_connection(self) -> None:
        self.alice.patches(self.setup, {"userToken": self.upstream.user_token()})
        other = self.alice.saves("Other")["id"]
        body = {"sourceAppConnectionId": self.connection_id, "targetAppConnectionId": other}
        self.alice.posts(f"/connections/{self.integration_id}/replace", body)

    def switch_flow(self, *states: bool) -> None:
        """Enable or disable a flow, as the page of flows does."""
        client = ActivepiecesClient(self.upstream.url, self.upstream.api_key)
        with self.app.app_context():
            tenants = get_state().tenants
            (integration,) = tenants.integrations.list_for_tenant("acme")
            flow = client.flows.create(integration.project_id, "A flow")
            webhook = Standin(self.upstream, self.upstream.api_key)
            webhook.operate(flow.id, "UPDATE_TRIGGER", catch_webhook())
            client.flows.publish(flow.id)
            for enabled in states:
                tenants.flows.set_enabled(integration, flow.id, enabled, user_id="alice")

    def retry_run(self) -> None:
        """Start a failed run again, as the page of runs does."""
        activepieces = Standin(self.upstream, self.upstream.api_key)
        self.move_to_another_project()
        flow_id = activepieces.flow(action("step_1", PIECE, "whoami", auth="{{connections['none']}}"))
        activepieces.ask("POST", f"/webhooks/{flow_id}", {})
        self.upstream.finish_runs()
        with self.app.app_context():
            tenants = get_state().tenants
            (integration,) = tenants.integrations.list_for_tenant("acme")
            (run,) = tenants.flows.list_runs(integration, flow_ids=[flow_id]).runs
            tenants.flows.retry_run(integration, run.id, user_id="alice")

    def install_piece(self) -> None:
        """Install a piece on the tenant's own platform, as the page of the piece does."""
        with self.app.app_context():
            tenants = get_state().tenants
            (integration,) = tenants.integrations.list_for_tenant("acme")
            document = manifest(None, name=f"@tasklane/piece-{secrets.token_hex(4)}")
            tenants.pieces.install(integration, document, user_id="alice")

    def rotate_mcp(self) -> None:
        self.alice.patches(self.setup, {"userToken": self.upstream.user_token()})
        self.alice.posts(f"/mcp/{self.integration_id}/rotate")


@pytest.fixture(scope="module")
def upstream() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(pieces=acme_pieces("https://acme.example")) as server:
        yield server


@pytest.fixture
def scene(make_app: MakeApp, upstream: ActivepiecesServer) -> Scene:
    app = make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=upstream.url)
    alice = ApiUser.named(app, "alice")
    integration_id = alice.links(apiKey=upstream.api_key, projectId=another_project(upstream))
    connection_id = str(alice.saves("Mine")["id"])
    return Scene(app, upstream, alice, integration_id, connection_id)


def another_project(upstream: ActivepiecesServer) -> str:
    client = ActivepiecesClient(upstream.url, upstream.api_key)
    return client.projects.create("Another project").id


INTEGRATION = {"integration_id", "project_id"}
CONNECTION = {"integration_id", "connection_id", "display_name", "piece_name"}

#: By event: the action that causes it, and the fields of its detail.
EVENTS: dict[str, tuple[Callable[[Scene], object], set[str]]] = {
    "integration.created": (
        lambda scene: scene.alice.links(
            apiKey=scene.upstream.api_key, projectId=scene.upstream.project_id, organizationId="labs"
        ),
        INTEGRATION | {"organization_id"},
    ),
    "integration.updated": (Scene.move_to_another_project, INTEGRATION),
    "integration.key_rotated": (lambda scene: scene.alice.links(apiKey=scene.upstream.api_key), INTEGRATION),
    "integration.disabled": (lambda scene: scene.alice.patches(scene.setup, {"enabled": False}), INTEGRATION),
    "integration.enabled": (
        lambda scene: [scene.alice.patches(scene.setup, {"enabled": enabled}) for enabled in (False, True)],
        INTEGRATION,
    ),
    "integration.removed": (lambda scene: scene.alice.deletes(scene.setup), INTEGRATION),
    "connection.saved": (
        lambda scene: scene.alice.patches(scene.connection, {"displayName": "Renamed"}),
        CONNECTION | {"change"},
    ),
    "connection.deleted": (lambda scene: scene.alice.deletes(scene.connection), CONNECTION),
    "connection.replaced": (Scene.replace_connection, CONNECTION | {"target_id", "source_deleted"}),
    "connection.failed": (Scene.break_and_check, CONNECTION | {"status", "reconnect_url"}),
    "flow.enabled": (lambda scene: scene.switch_flow(False, True), INTEGRATION | {"flow", "flow_id"}),
    "flow.disabled": (lambda scene: scene.switch_flow(False), INTEGRATION | {"flow", "flow_id"}),
    "flow_run.retried": (Scene.retry_run, INTEGRATION | {"flow", "flow_id", "run_id"}),
    "piece.installed": (Scene.install_piece, INTEGRATION | {"piece_name", "version"}),
    "mcp.changed": (Scene.change_mcp, INTEGRATION),
    "mcp.token_rotated": (Scene.rotate_mcp, INTEGRATION),
}


#: Tested in test_mcp_access.py.
TOOL_EVENTS = {"tool.called"}
#: Tested in test_embedding_api.py.
USER_EVENTS = {"user.provisioned", "user.deprovisioned"}
#: Tested in automation/test_agent_steps.py.
AGENT_EVENTS = {"agent_step.changed"}
#: Tested in automation/test_deliveries.py.
DELIVERY_EVENTS = {"delivery.replayed"}


def test_every_signal_is_tested() -> None:
    here = set(OAUTH_EVENTS) | set(EVENTS) | set(SUBSCRIPTION_EVENTS)
    assert here | TOOL_EVENTS | USER_EVENTS | AGENT_EVENTS | DELIVERY_EVENTS == set(signals.BY_NAME)
    assert all(signal.name == name for name, signal in signals.BY_NAME.items())
    assert all(signal.__doc__ for signal in signals.BY_NAME.values())


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_sent_once_and_has_its_audit_row(scene: Scene, name: str) -> None:
    act, fields = EVENTS[name]
    before = len(rows_of(scene.app, "audit_events"))

    with recorded_signals(scene.app) as received:
        act(scene)

    (event,) = [event for event in received if event.name == name]
    (row,) = [row for row in rows_of(scene.app, "audit_events")[before:] if row["name"] == name]
    assert event.tenant_id == row["tenant_id"] == "acme"
    assert event.user_id == row["user_id"] == (None if name == "connection.failed" else "alice")
    assert (event.at, row["at"]) == (START, START)
    assert set(event.detail) == fields
    assert json.loads(row["detail"]) == dict(event.detail)


def test_no_event_contains_a_secret(scene: Scene) -> None:
    canary = "ok-a-secret-that-must-not-be-seen"

    with recorded_signals(scene.app) as received:
        scene.alice.saves("Secret", canary)
        scene.rotate_mcp()

    published = repr(received) + repr(rows_of(scene.app, "audit_events"))
    assert PIECE in published
    hidden: list[Any] = [canary, scene.upstream.api_key, scene.upstream.user_token()]
    assert [secret for secret in hidden if secret in published] == []
