"""The overview: health, numbers, failed runs; and only the parts that Activepieces answers for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import delete, update

from flask_activepieces import Principal, get_state
from flask_activepieces.host.interface import Permission
from flask_activepieces.storage.event_tables import deliveries, subscriptions
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.flows.automation.test_deliveries import HostWithSales
from tests.support.actors import answer_of
from tests.support.api_user import PIECE, ApiUser
from tests.support.automation import AREA, AreaUser, HostWithViewers, area_user
from tests.support.clock import StoppedClock
from tests.support.hosts import HostWithLabs
from tests.support.pieces import Flow, create_token, emit, make_piece_app
from tests.support.standin import Standin, action, answering, standin
from tests.support.storage import engine_of, rows_of, statements_of


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
    assert "No problems found" not in page.text


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


def test_several_broken_connections_are_counted(admin: AreaUser, server: ActivepiecesServer) -> None:
    for name in ("One", "Two"):
        server.break_connection(str(save_connection(admin, name)["externalId"]))

    page = admin.visits()

    assert "2 connections need attention: flows that use them fail until someone signs in again." in page.text


def test_failed_runs_are_listed_with_their_reason(admin: AreaUser, server: ActivepiecesServer) -> None:
    failing_flow(server)

    page = admin.visits()

    assert "A flow Failed at the step “step_1”" in page.text


def test_a_run_that_failed_in_the_last_days_is_a_problem(
    admin: AreaUser, server: ActivepiecesServer, clock: StoppedClock
) -> None:
    failing_flow(server)
    clock.now = time.time()  # that of the stand-in

    found = admin.visits()
    clock.advance(days=7, seconds=1)
    later = admin.visits()

    assert "Problems found Runs of flows failed in the last 7 days." in found.text
    assert found.links["Failed runs"] == f"{AREA}/runs?status=failed"
    assert "No problems found" in later.text


@dataclass
class EventScene:
    """Bob's flow gets events of Acme, whose workspace Alice has linked."""

    app: Flask
    emit: Callable[[str], None]
    flow: Flow
    alice: AreaUser


@pytest.fixture
def events(make_app: MakeApp, server: ActivepiecesServer) -> EventScene:
    app, effects = make_piece_app(make_app, host=HostWithViewers(), ACTIVEPIECES_BASE_URL=server.url)
    alice = area_user(app, "alice")
    alice.links(server)
    flow = Flow(app, create_token(area_user(app, "bob")))
    answer_of(flow.subscribes(url=f"{server.url}/api/v1/webhooks/abcdefghijklmnopqrstu"), 201)
    return EventScene(app, lambda title: emit(app, effects.triggers["task_done"], title), flow, alice)


def set_deliveries(scene: EventScene, **values: object) -> None:
    """Distribute what happened, and change the deliveries as if they had been attempted."""
    with scene.app.app_context():
        get_state().delivery.dispatcher.distribute()
    with engine_of(scene.app).begin() as conn:
        conn.execute(update(deliveries).values(**values))


def pause(scene: EventScene) -> None:
    scene.alice.presses(scene.alice.visits("/subscriptions"), "/pause")


def test_paused_flows_are_a_problem(events: EventScene) -> None:
    before = events.alice.visits()
    pause(events)

    page = events.alice.visits()

    assert "No problems found" in before.text
    assert "Problems found Events for 1 flow are paused." in page.text
    assert page.links["Flows that get events"] == f"{AREA}/subscriptions"


def test_several_paused_flows_are_counted(events: EventScene, server: ActivepiecesServer) -> None:
    url = f"{server.url}/api/v1/webhooks/bcdefghijklmnopqrstuv"
    answer_of(events.flow.subscribes(url=url), 201)
    with engine_of(events.app).begin() as conn:
        conn.execute(update(subscriptions).values(state="paused"))

    assert "Events for 2 flows are paused." in events.alice.visits().text


def test_events_that_failed_in_the_last_days_are_a_problem(events: EventScene, clock: StoppedClock) -> None:
    events.emit("Sweep")
    set_deliveries(events, state="dead")

    found = events.alice.visits()
    clock.advance(days=7, seconds=1)
    later = events.alice.visits()

    assert "Problems found Events of the last 7 days did not reach their flow." in found.text
    assert found.links["Failed deliveries"] == f"{AREA}/deliveries?state=dead"
    assert "No problems found" in later.text


@pytest.mark.parametrize("state", ["pending", "delivered", "skipped"])
def test_events_that_did_not_fail_are_no_problem(events: EventScene, state: str) -> None:
    events.emit("Sweep")
    set_deliveries(events, state=state)

    assert "No problems found" in events.alice.visits().text


def test_events_for_a_flow_that_is_gone_are_no_problem(events: EventScene) -> None:
    events.emit("Sweep")
    set_deliveries(events, state="dead")
    with engine_of(events.app).begin() as conn:
        conn.execute(delete(subscriptions))

    assert "No problems found" in events.alice.visits().text


def test_all_problems_are_listed_together(events: EventScene, server: ActivepiecesServer) -> None:
    server.break_connection(str(save_connection(events.alice, "Our Slack")["externalId"]))
    events.emit("Sweep")
    set_deliveries(events, state="dead")
    pause(events)

    page = events.alice.visits()

    for text in ("1 connection needs attention", "Events for 1 flow are paused.", "did not reach their flow."):
        assert text in page.text
    assert "No problems found" not in page.text


def test_if_activepieces_is_down_the_apps_own_problems_are_shown_too(
    events: EventScene, server: ActivepiecesServer
) -> None:
    pause(events)
    server.faults.reset_connection("*", "*", times=None)

    page = events.alice.visits()

    assert "Activepieces cannot be reached." in page.text
    assert "Events for 1 flow are paused." in page.text
    assert "No problems found" not in page.text


def test_a_viewer_sees_the_problems_without_links_to_pages_of_admins(events: EventScene) -> None:
    events.emit("Sweep")
    set_deliveries(events, state="dead")
    pause(events)

    page = area_user(events.app, "bob").visits()

    assert "Events for 1 flow are paused. Events of the last 7 days did not reach their flow." in page.text
    assert not {"Flows that get events", "Failed deliveries"} & page.links.keys()


def test_problems_of_another_tenant_are_not_shown(events: EventScene, server: ActivepiecesServer) -> None:
    events.emit("Sweep")
    set_deliveries(events, state="dead")
    pause(events)
    carol = area_user(events.app, "carol")
    carol.links(server)

    assert "No problems found" in carol.visits().text


def test_problems_of_another_organization_are_not_shown(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app, effects = make_piece_app(make_app, host=HostWithSales(), ACTIVEPIECES_BASE_URL=server.url)
    labs = Flow(app, create_token(area_user(app, "bob"), workspace="acme/labs"))
    answer_of(labs.subscribes(url=f"{server.url}/api/v1/webhooks/abcdefghijklmnopqrstu"), 201)
    alice = area_user(app, "alice")
    alice.links(server)
    emit(app, effects.triggers["task_done"], "of labs", organization_id="labs")
    scene = EventScene(app, lambda title: None, labs, alice)
    set_deliveries(scene, state="dead")
    with engine_of(app).begin() as conn:
        conn.execute(update(subscriptions).values(state="paused"))

    assert [row["state"] for row in rows_of(app, "deliveries")] == ["dead"]
    assert "No problems found" in alice.visits().text


def test_more_problems_cost_no_more_statements_and_calls(events: EventScene, server: ActivepiecesServer) -> None:
    def cost() -> tuple[int, int]:
        server.calls.clear()
        with statements_of(events.app) as statements:
            events.alice.visits()
        return len(statements), len(server.calls)

    without = cost()
    for number in range(20):
        answer_of(events.flow.subscribes(url=f"{server.url}/api/v1/webhooks/flow{number:017}"), 201)
        events.emit(f"Task {number}")
    set_deliveries(events, state="dead")
    with engine_of(events.app).begin() as conn:
        conn.execute(update(subscriptions).values(state="paused"))

    assert cost() == without
    assert without[1] == 3  # connections, flows, runs


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
