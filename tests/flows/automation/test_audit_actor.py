"""Each button of the area that changes something is audited with the admin who pressed it, not with an owner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from flask_activepieces import Principal
from flask_activepieces.host.interface import Permission
from flask_activepieces.storage import tables
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.flows.automation.test_connections import add_user, flow_with, save
from tests.flows.automation.test_overview import failing_flow
from tests.support.actors import Program
from tests.support.automation import AREA, AreaUser, area_user
from tests.support.hosts import HostWithLabs
from tests.support.pages import Page
from tests.support.pieces import make_piece_app
from tests.support.storage import engine_of, rows_of


class HostWithTwoAdmins(HostWithLabs):
    """Alice and Bob are both admins of Acme."""

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return True


@dataclass
class Scene:
    """Alice has linked the workspace, saved a connection and registered a client; Bob is the other admin."""

    app: Flask
    server: ActivepiecesServer
    alice: AreaUser
    bob: AreaUser
    connection: dict[str, Any]
    client: str

    def presses(self, path: str, action: str, **changes: Any) -> Page:
        """Bob opens a page and sends its form."""
        return self.bob.presses(self.bob.visits(path), action, **changes)


@pytest.fixture
def scene(make_app: MakeApp, server: ActivepiecesServer) -> Scene:
    app, _ = make_piece_app(make_app, host=HostWithTwoAdmins(), ACTIVEPIECES_BASE_URL=server.url)
    alice = area_user(app, "alice")
    alice.links(server)
    add_user(alice, server)
    connection = save(alice, "Our key")
    register(alice, "Reports")
    (client,) = rows_of(app, "oauth_clients")
    return Scene(app, server, alice, area_user(app, "bob"), connection, f"/clients/{client['client_id']}")


def register(person: AreaUser, name: str) -> Page:
    form = person.visits("/clients/new").form_to("/clients/new")
    return person.submits(form, name=name, redirect_uris="https://reports.example/", scope=["tasks:read"])


def add_connection(scene: Scene) -> None:
    save(scene.bob, "Another key")


def reconnect(scene: Scene) -> None:
    path = f"/connections/{scene.connection['id']}/reconnect"
    scene.bob.submits(scene.bob.visits(path).form("external_id"), **{"field-0": "ok-new"})


def replace(scene: Scene) -> None:
    flow_with(scene.server, scene.connection)
    target = save(scene.alice, "New key")
    path = f"/connections/{scene.connection['id']}/replace"
    scene.presses(path, path, target=target["id"], delete="1")


def switch_flow(scene: Scene) -> None:
    flow_with(scene.server, scene.connection)
    scene.presses("/flows", "/switch")


def retry_run(scene: Scene) -> None:
    failing_flow(scene.server)
    scene.presses("/runs", "/retry")


def link(scene: Scene) -> None:
    scene.alice.presses(scene.alice.visits("/setup/unlink"), "/setup/unlink")
    scene.bob.links(scene.server)


#: By endpoint: how Bob uses it, and the event.
BUTTONS: dict[str, tuple[Callable[[Scene], object], str]] = {
    "client_new": (lambda scene: register(scene.bob, "Charts"), "client.created"),
    "client_edit": (lambda scene: scene.presses(f"{scene.client}/edit", "/edit", name="Charts"), "client.updated"),
    "client_rotate": (lambda scene: scene.presses(scene.client, "/rotate"), "client.secret_rotated"),
    "client_switch": (lambda scene: scene.presses(scene.client, "/switch"), "client.disabled"),
    "client_delete": (lambda scene: scene.presses(f"{scene.client}/delete", "/delete"), "client.deleted"),
    "automation_add_connection": (add_connection, "connection.saved"),
    "automation_rename_connection": (
        lambda scene: scene.presses(f"/connections/{scene.connection['id']}", "/rename", name="Their key"),
        "connection.saved",
    ),
    "automation_reconnect": (reconnect, "connection.saved"),
    "automation_replace_connection": (replace, "connection.replaced"),
    "automation_delete_connection": (
        lambda scene: scene.presses(f"/connections/{scene.connection['id']}/delete", "/delete"),
        "connection.deleted",
    ),
    "automation_switch_flow": (switch_flow, "flow.disabled"),
    "automation_retry_run": (retry_run, "flow_run.retried"),
    "automation_change_mcp": (
        lambda scene: scene.bob.submits(scene.bob.visits("/mcp").form("tools"), tools="ap_list_flows"),
        "mcp.changed",
    ),
    "automation_rotate_mcp": (lambda scene: scene.presses("/mcp", "/mcp/rotate"), "mcp.token_rotated"),
    "automation_change_platform_mcp": (
        lambda scene: scene.bob.submits(scene.bob.visits("/mcp/platform").form("tools"), tools="ap_list_flows"),
        "mcp.changed",
    ),
    "automation_rotate_platform_mcp": (
        lambda scene: scene.presses("/mcp/platform", "/mcp/platform/rotate"),
        "mcp.token_rotated",
    ),
    "automation_agent_policy": (
        lambda scene: scene.presses("/agents", "/agents/policy", mode="none"),
        "client_policy.changed",
    ),
    "automation_choose_project": (link, "integration.created"),
    "automation_switch": (lambda scene: scene.presses("/setup", "/setup/switch"), "integration.disabled"),
    "automation_unlink": (lambda scene: scene.presses("/setup/unlink", "/setup/unlink"), "integration.removed"),
}

#: These are tested where their servers are.
TESTED_ELSEWHERE = {
    "automation_connect": "test_new_connection.py",
    "automation_replay_failed": "test_deliveries.py",
    "automation_replay": "test_deliveries.py",
    "automation_pause": "test_deliveries.py",
    "automation_agent_step": "test_agent_steps.py",
    "automation_install_piece": "test_piece.py",
}
#: These change nothing that others see.
UNAUDITED = {"automation_workspaces", "automation_link"}


def test_every_button_is_tested(app: Flask) -> None:
    buttons = {
        rule.endpoint.removeprefix("activepieces.")
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(AREA) and "POST" in (rule.methods or ())
    }

    assert buttons == {*BUTTONS, *TESTED_ELSEWHERE, *UNAUDITED}


@pytest.mark.parametrize("endpoint", BUTTONS)
def test_the_newest_events_name_the_admin(scene: Scene, endpoint: str) -> None:
    act, name = BUTTONS[endpoint]
    before = len(rows_of(scene.app, "audit_events"))

    act(scene)

    rows = [row for row in rows_of(scene.app, "audit_events")[before:] if row["user_id"] != "alice"]
    assert rows, scene.bob.visits().text
    assert name in [row["name"] for row in rows]
    assert {row["user_id"] for row in rows} == {"bob"}


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("POST", "", {"name": "Charts", "redirect_uris": ["https://a.test/"], "scope": "tasks:read"}, "created"),
        ("PATCH", "/{client_id}", {"name": "Charts"}, "updated"),
        ("POST", "/{client_id}/rotate", {}, "secret_rotated"),
        ("DELETE", "/{client_id}", None, "deleted"),
    ],
)
def test_changes_of_clients_through_the_api_name_the_admin(
    scene: Scene, method: str, path: str, body: dict[str, Any] | None, name: str
) -> None:
    (client,) = rows_of(scene.app, "oauth_clients")
    url = "/api/integration/activepieces/oauth-clients" + path.format(client_id=client["client_id"])

    assert scene.bob.browser.open(url, method=method, json=body).status_code < 300

    row = rows_of(scene.app, "audit_events")[-1]
    assert (row["name"], row["user_id"]) == (f"client.{name}", "bob")


def test_the_client_of_an_integration_is_suspended_and_deleted_by_the_same_admin(scene: Scene) -> None:
    (integration,) = rows_of(scene.app, "integrations")
    give_client(scene, integration["id"])

    scene.presses("/setup", "/setup/switch")
    scene.presses("/setup/unlink", "/setup/unlink")

    newest = [(row["name"], row["user_id"]) for row in rows_of(scene.app, "audit_events")[-4:]]
    assert newest == [
        ("integration.disabled", "bob"),
        ("client.disabled", "bob"),
        ("client.deleted", "bob"),
        ("integration.removed", "bob"),
    ]


def give_client(scene: Scene, integration_id: str) -> None:
    """Let the client of the scene be that of the integration, as after the first connection by one click."""
    clients, integrations = tables.oauth_clients, tables.integrations
    client_id = scene.client.removeprefix("/clients/")
    with engine_of(scene.app).begin() as conn:
        conn.execute(update(clients).values(integration_id=integration_id))
        conn.execute(update(integrations).values(oauth_client_id=client_id))


def test_a_deleted_client_keeps_its_name_in_the_log(scene: Scene) -> None:
    program = Program.registered(scene.app, "--tenant", "acme")
    tokens = program.connects(scene.alice)
    program.revokes(tokens["refresh_token"])
    scene.alice.answers(program.question(prompt="consent"), "deny")
    scene.alice.sends(scene.alice.sees("/oauth/connected-apps").forms[0])
    scene.presses(f"/clients/{program.client_id}/delete", "/delete")

    page = scene.bob.visits("/audit")

    for line in ("Access allowed to “Program”", "Access denied to “Program”", "Access of “Program” revoked"):
        assert line in page.text
    assert "“Program” gave its access back" in page.text
    assert "unknown" not in page.text
