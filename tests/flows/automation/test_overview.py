"""The overview: health, numbers, failed runs; and only the parts that Activepieces answers for."""

from __future__ import annotations

from flask import Flask

from flask_activepieces import Principal
from flask_activepieces.host.interface import Permission
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.api_user import PIECE, ApiUser
from tests.support.automation import AreaUser, area_user
from tests.support.hosts import HostWithLabs
from tests.support.standin import Standin, action, answering, standin


def save_connection(person: AreaUser, name: str) -> dict[str, object]:
    return ApiUser(person).saves(name)


def failing_flow(server: ActivepiecesServer) -> str:
    """A flow with a run that failed."""
    activepieces = standin(server)
    flow = activepieces.flow(action("step_1", PIECE, "whoami", auth="{{connections['missing']}}"))
    Standin(server, "").ask("POST", f"/webhooks/{flow}", {})
    server.finish_runs()
    return flow


def test_the_overview_counts_connections_and_flows(admin: AreaUser, server: ActivepiecesServer) -> None:
    save_connection(admin, "One")
    save_connection(admin, "Two")
    standin(server).flow(answering("step_1", "done"))
    standin(server).flow(publish=False)

    page = admin.visits()

    assert "2 Connections all signed in" in page.text
    assert "2 Flows 1 is on" in page.text


def test_broken_connections_are_named(admin: AreaUser, server: ActivepiecesServer) -> None:
    saved = save_connection(admin, "Our Slack")
    server.break_connection(str(saved["externalId"]))

    page = admin.visits()

    assert "1 connection needs attention" in page.text
    assert "Everything works" not in page.text


def test_a_broken_connection_of_several_projects_is_for_admins(make_app: MakeApp, server: ActivepiecesServer) -> None:
    class Editors(HostWithLabs):
        def allows(self, principal: Principal, permission: Permission) -> bool:
            return super().allows(principal, permission) or permission != "admin"

    app = make_app(host=Editors(), ACTIVEPIECES_BASE_URL=server.url)
    alice, bob = area_user(app, "alice"), area_user(app, "bob")
    alice.links(server)
    saved = ApiUser(alice).saves("Our Slack", scope="PLATFORM")
    server.break_connection(str(saved["externalId"]))

    assert "Reconnect Our Slack" in alice.visits().links
    assert "Reconnect Our Slack" not in bob.visits().links
    assert "1 connection needs attention" in bob.visits().text


def test_failed_runs_are_listed_with_their_reason(admin: AreaUser, server: ActivepiecesServer) -> None:
    failing_flow(server)

    page = admin.visits()

    assert "A flow Failed at the step “step_1”" in page.text


def test_a_server_that_is_down_is_asked_once(admin: AreaUser, server: ActivepiecesServer) -> None:
    server.faults.reset_connection("*", "*", times=None)
    server.calls.clear()

    page = admin.visits()

    assert page.status == 200
    assert len({call.path for call in server.calls}) <= 1
    assert "Activepieces cannot be reached." in page.text
    assert "Failed runs" not in page.text


def test_flows_of_a_project_that_tenants_share_are_not_shown(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(
        host=HostWithLabs(),
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PROJECT_ID=server.project_id,
    )
    alice = area_user(app, "alice")
    alice.submits(alice.visits("/setup").form("with"))
    failing_flow(server)

    page = alice.visits()

    assert "0 Connections" in page.text
    assert "Failed runs" not in page.text
    assert "Flows" not in page.text


def test_another_tenants_connections_are_not_counted(
    app: Flask, admin: AreaUser, carol: AreaUser, server: ActivepiecesServer
) -> None:
    carol.links(server)
    save_connection(admin, "Mine")

    assert "0 Connections" in carol.visits().text
