"""The pages of flows and runs."""

from __future__ import annotations

import pytest

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.flows.automation.test_overview import failing_flow
from tests.support.automation import AreaUser, HostWithViewers, area_user
from tests.support.standin import Standin, answering, standin
from tests.support.storage import rows_of


def named_flow(server: ActivepiecesServer, name: str, *, publish: bool = True) -> str:
    activepieces = standin(server)
    flow = activepieces.flow(answering("step_1", "done"), publish=False)
    activepieces.operate(flow, "CHANGE_NAME", {"displayName": name})
    if publish:
        activepieces.operate(flow, "LOCK_AND_PUBLISH", {})
    return flow


def status_of(server: ActivepiecesServer, flow: str) -> str:
    return str(standin(server).get(f"/flows/{flow}")["status"])


# Flows


def test_an_empty_list_leads_to_the_builder(admin: AreaUser, server: ActivepiecesServer) -> None:
    page = admin.visits("/flows")

    assert "No flows yet" in page.text
    assert page.links["Build in Activepieces"] == f"{server.url}/projects/{server.project_id}/flows"


def test_flows_are_listed_by_name_with_their_state(admin: AreaUser, server: ActivepiecesServer) -> None:
    welcome = named_flow(server, "Welcome")
    named_flow(server, "Archive", publish=False)

    page = admin.visits("/flows")

    assert page.text.index("Archive Draft") < page.text.index("Welcome On")
    assert page.links["Welcome"] == f"{server.url}/projects/{server.project_id}/flows/{welcome}"
    assert "ENABLED" not in page.text
    assert welcome not in page.text


def test_a_flow_is_switched_off_and_on(admin: AreaUser, server: ActivepiecesServer) -> None:
    flow = named_flow(server, "Welcome")

    off = admin.presses(admin.visits("/flows"), "/switch")
    was_off = status_of(server, flow)
    on = admin.presses(admin.visits("/flows"), "/switch")

    assert "The flow is off." in off.text
    assert was_off == "DISABLED"
    assert "The flow is on." in on.text
    assert status_of(server, flow) == "ENABLED"


def test_a_draft_can_only_be_finished_in_the_builder(admin: AreaUser, server: ActivepiecesServer) -> None:
    named_flow(server, "Draft one", publish=False)

    page = admin.visits("/flows")

    assert "Finish" in page.links
    assert not [form for form in page.forms if form.action.endswith("/switch")]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"status": "on"}, ["Welcome"]),
        ({"status": "off"}, ["Archive"]),
        ({"search": "chiv"}, ["Archive"]),
        ({"search": "zzz"}, []),
    ],
)
def test_flows_are_filtered(
    admin: AreaUser, server: ActivepiecesServer, query: dict[str, str], shown: list[str]
) -> None:
    named_flow(server, "Welcome")
    named_flow(server, "Archive", publish=False)

    page = admin.visits("/flows", **query)

    assert [name for name in ("Welcome", "Archive") if name in page.links] == shown


def test_flows_are_paged_with_one_call_each(admin: AreaUser, server: ActivepiecesServer) -> None:
    for number in range(60):
        named_flow(server, f"Flow {number:02}", publish=False)
    seen, url = list[str](), "/automation/flows"
    for _ in range(3):
        server.calls.clear()
        page = admin.sees(url)
        assert [call.path for call in server.calls] == ["/api/v1/flows"]
        seen += [name for name in page.links if name.startswith("Flow ")]
        url = page.links.get("Next", "")

    assert seen == [f"Flow {number:02}" for number in range(60)]


def test_switching_a_flow_keeps_the_filter_and_the_page(admin: AreaUser, server: ActivepiecesServer) -> None:
    for number in range(27):
        named_flow(server, f"Flow {number:02}")
    named_flow(server, "Other")
    second = admin.sees(admin.visits("/flows", search="Flow").links["Next"])

    page = admin.submits(second.forms[-1])

    assert "The flow is off." in page.text
    assert [name for name in page.links if name.startswith(("Flow ", "Other"))] == ["Flow 25", "Flow 26"]
    assert "Flow 26 Off" in page.text


def test_a_flow_of_another_tenant_is_not_found(admin: AreaUser, carol: AreaUser, server: ActivepiecesServer) -> None:
    picker = carol.submits(
        carol.visits("/setup", **{"with": "password"}).form("password"), email=server.email, password=server.password
    )
    other = next(value for value in _projects(server) if value != server.project_id)
    carol.submits(picker.form("sealed"), project=other)
    flow = named_flow(server, "Welcome")

    assert carol.posts(f"/flows/{flow}/switch", enabled="0").status_code == 404
    assert status_of(server, flow) == "ENABLED"
    assert "Welcome" not in carol.visits("/flows").links


def _projects(server: ActivepiecesServer) -> list[str]:
    return [project["id"] for project in server.state.store.all("project")]


# Runs


def test_a_failed_run_shows_its_step_and_reason(admin: AreaUser, server: ActivepiecesServer) -> None:
    failing_flow(server)

    page = admin.visits("/runs")

    assert "A flow Failed" in page.text
    assert "Failed at the step “step_1” :" in page.text
    assert "FAILED" not in page.text


def test_the_reason_is_not_shown_to_viewers(make_app: MakeApp, server: ActivepiecesServer) -> None:
    """It may contain the data of the run."""

    app = make_app(host=HostWithViewers(), ACTIVEPIECES_BASE_URL=server.url)
    area_user(app, "alice").links(server)
    failing_flow(server)
    bob = area_user(app, "bob")

    page = bob.visits("/runs")

    assert "Failed at the step “step_1”" in page.text
    assert "“step_1” :" not in page.text
    assert "Try again" not in page.text


@pytest.mark.parametrize(("status", "count"), [("failed", 1), ("succeeded", 1), ("unfinished", 0), ("", 2)])
def test_runs_are_filtered(admin: AreaUser, server: ActivepiecesServer, status: str, count: int) -> None:
    failing_flow(server)
    Standin(server, "").ask("POST", f"/webhooks/{named_flow(server, 'Fine')}/sync", {})

    page = admin.visits("/runs", status=status)

    links = [href for href in page.links.values() if "/runs/" in href and href.startswith(server.url)]
    assert len(links) == count


def test_the_runs_of_one_flow_are_listed_under_its_name(admin: AreaUser, server: ActivepiecesServer) -> None:
    fine = named_flow(server, "Fine")
    failing_flow(server)
    Standin(server, "").ask("POST", f"/webhooks/{fine}/sync", {})

    page = admin.visits("/runs", flow=fine)

    assert "Runs of Fine" in page.text
    assert "Failed at" not in page.text


def test_a_failed_run_is_started_again(admin: AreaUser, server: ActivepiecesServer) -> None:
    failing_flow(server)

    page = admin.presses(admin.visits("/runs", status="failed"), "/retry")
    server.finish_runs()

    assert "The run was started again." in page.text
    assert [row["name"] for row in rows_of(admin.browser.application, "audit_events")][-1] == "flow_run.retried"


def test_a_run_of_another_tenant_is_not_found(admin: AreaUser, carol: AreaUser, server: ActivepiecesServer) -> None:
    failing_flow(server)
    (run,) = server.state.store.all("flow_run")
    picker = carol.submits(carol.visits("/setup", **{"with": "key"}).form("api_key"), api_key=server.api_key)
    other = next(value for value in _projects(server) if value != server.project_id)
    carol.submits(picker.form("sealed"), project=other)

    assert carol.posts(f"/runs/{run['id']}/retry").status_code == 404
    assert "No runs yet" in carol.visits("/runs").text


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            '{"message": "Error: refused\\n    at Socket.connect (net.js:1)"}',
            "Failed at the step “step_1” : Error: refused Try",
        ),
        (
            '{"message": "{\\"response\\": {\\"status\\": 401}}"}',
            "“step_1” : The service answered with the status 401. Try",
        ),
        ('{"other": 1}', "Failed at the step “step_1” Try"),
    ],
)
def test_the_reason_of_a_failed_run_is_in_words(
    admin: AreaUser, server: ActivepiecesServer, message: str, shown: str
) -> None:
    failing_flow(server)
    (run,) = server.state.store.all("flow_run")
    server.state.store.change("flow_run", run["id"], failedStep={**run["failedStep"], "message": message})

    assert shown in admin.visits("/runs").text


def test_a_thousand_runs_are_paged_with_one_call_each(admin: AreaUser, server: ActivepiecesServer) -> None:
    failing_flow(server)
    (run,) = server.state.store.all("flow_run")
    copied = {name: value for name, value in run.items() if name not in ("id", "created", "updated")}
    for _ in range(999):
        server.state.store.add("flow_run", copied)
    seen, url, pages = set[str](), "/automation/runs", 0
    while url:
        server.calls.clear()
        page = admin.sees(url)
        assert [call.path for call in server.calls] == ["/api/v1/flow-runs"]
        seen |= {form.action for form in page.forms if form.action.endswith("/retry")}
        url, pages = page.links.get("Next", ""), pages + 1

    assert (len(seen), pages) == (1000, 40)
