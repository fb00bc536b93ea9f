"""The app's endpoint in agent steps of Activepieces: added by a button, or by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.api_user import ApiUser
from tests.support.automation import AreaUser, HostWithViewers, area_user
from tests.support.pages import Page
from tests.support.pieces import create_token, make_piece_app
from tests.support.standin import Standin, action, standin
from tests.support.storage import rows_of

AGENT = "@activepieces/piece-ai"
OTHER_TOOL = {"type": "PIECE", "toolName": "slack", "pieceMetadata": {}}


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """The small host with a piece, in which everyone may look."""
    return make_piece_app(make_app, host=HostWithViewers(), ACTIVEPIECES_BASE_URL=server.url)[0]


@pytest.fixture
def admin(alice: AreaUser, server: ActivepiecesServer, live_app: str) -> AreaUser:
    """The admin of Acme at the address at which Activepieces reaches the app; her workspace has a user there."""
    alice.site = live_app
    ApiUser(alice).links(userToken=server.user_token(), projectId=server.project_id)
    return alice


@pytest.fixture
def flow_id(server: ActivepiecesServer) -> str:
    """A published flow: a step, an agent, and a step behind it."""
    return add_agent_flow(standin(server))


def add_agent_flow(calls: Standin, *tools: dict[str, Any]) -> str:
    return calls.flow(
        action("step_1", "@activepieces/piece-webhook", "return_response"),
        action("step_2", AGENT, "run_agent", prompt="Do it", agentTools=[OTHER_TOOL, *tools]),
        action("step_3", AGENT, "ask_ai", prompt="Why?"),
    )


def steps_of(server: ActivepiecesServer, flow_id: str) -> list[dict[str, Any]]:
    """The steps in the newest version."""
    steps, step = [], standin(server).get(f"/flows/{flow_id}")["version"]["trigger"]
    while step:
        steps.append(step)
        step = step.get("nextAction")
    return steps


def adds(admin: AreaUser, token: str, **changes: str) -> Page:
    """Send the form with this token."""
    return admin.presses(admin.visits("/agents"), "/agents/step", token=token, **changes)


def test_the_app_is_added_to_the_draft_of_a_flow(
    app: Flask, admin: AreaUser, server: ActivepiecesServer, flow_id: str
) -> None:
    before = steps_of(server, flow_id)
    token = create_token(admin)

    page = adds(admin, token, step=f"{flow_id}/step_2")

    assert "The agent step can use this app now. Publish the flow to use the change." in page.text
    assert "A flow: step_2 (uses this app already)" in page.text
    assert token not in page.response.text
    after = steps_of(server, flow_id)
    added = {
        "type": "MCP",
        "toolName": "tasks",
        "serverUrl": f"{admin.site}/mcp",
        "protocol": "streamable-http",
        "auth": {"type": "access_token", "accessToken": token},
    }
    assert after[2]["settings"]["input"] == {"prompt": "Do it", "agentTools": [OTHER_TOOL, added]}
    assert [step["name"] for step in after] == [step["name"] for step in before]
    assert after[3]["settings"] == before[3]["settings"]
    flow = standin(server).get(f"/flows/{flow_id}")
    assert flow["version"]["state"] == "DRAFT" and flow["publishedVersionId"] != flow["version"]["id"]
    event = rows_of(app, "audit_events")[-1]
    assert (event["name"], event["user_id"]) == ("agent_step.changed", "alice")
    assert token not in event["detail"]


def test_adding_again_replaces_the_token(admin: AreaUser, server: ActivepiecesServer, flow_id: str) -> None:
    first, second = create_token(admin), create_token(admin)

    for token in (first, second):
        adds(admin, token, step=f"{flow_id}/step_2")

    tools = steps_of(server, flow_id)[2]["settings"]["input"]["agentTools"]
    assert [tool.get("auth") for tool in tools] == [None, {"type": "access_token", "accessToken": second}]


@pytest.mark.parametrize("token", ["", "apat_x", "a\r\nX: y", "é", "apat_" + "x" * 43])
def test_what_is_no_token_of_the_user_is_refused(
    admin: AreaUser, server: ActivepiecesServer, flow_id: str, token: str
) -> None:
    page = adds(admin, token, step=f"{flow_id}/step_2")

    assert page.status == 422
    assert "Paste a personal access token of yours for this workspace." in page.text
    assert steps_of(server, flow_id)[2]["settings"]["input"]["agentTools"] == [OTHER_TOOL]


def test_the_token_of_another_user_is_refused(
    app: Flask, admin: AreaUser, server: ActivepiecesServer, flow_id: str
) -> None:
    """An agent would act as that user, without their knowledge."""
    page = adds(admin, create_token(area_user(app, "bob")), step=f"{flow_id}/step_2")

    assert page.status == 422
    assert steps_of(server, flow_id)[2]["settings"]["input"]["agentTools"] == [OTHER_TOOL]


def test_an_endpoint_that_activepieces_cannot_reach_is_not_added(
    admin: AreaUser, server: ActivepiecesServer, flow_id: str
) -> None:
    token = create_token(admin)
    admin.site = "http://localhost:9"

    page = adds(admin, token, step=f"{flow_id}/step_2")

    assert page.status == 422
    assert "Activepieces cannot use this app with this token, or cannot reach the app." in page.text
    assert steps_of(server, flow_id)[2]["settings"]["input"]["agentTools"] == [OTHER_TOOL]


@pytest.mark.parametrize(
    "step", ["", "x", "{flow}/step_1", "{flow}/step_9", "{flow}/trigger", "../step_2", "{other}/step_2"]
)
def test_only_agent_steps_of_the_project_are_changed(
    admin: AreaUser, server: ActivepiecesServer, flow_id: str, step: str
) -> None:
    calls = standin(server)
    other = calls.post("/projects", {"displayName": "Another"})["id"]
    body = {"displayName": "Theirs", "projectId": other}
    theirs = calls.post("/flows", body)["id"]
    calls.operate(theirs, "UPDATE_TRIGGER", {**steps_of(server, flow_id)[0], "nextAction": None})
    calls.operate(theirs, "ADD_ACTION", {"parentStep": "trigger", "action": action("step_2", AGENT, "run_agent")})
    before = [steps_of(server, each) for each in (flow_id, theirs)]

    page = adds(admin, create_token(admin), step=step.format(flow=flow_id, other=theirs))

    assert page.status in (404, 422)
    assert [steps_of(server, each) for each in (flow_id, theirs)] == before


def test_a_key_cannot_have_the_endpoint_checked(
    alice: AreaUser, server: ActivepiecesServer, flow_id: str, live_app: str
) -> None:
    alice.site = live_app
    alice.links(server)

    page = adds(alice, create_token(alice), step=f"{flow_id}/step_2")

    assert "but Activepieces did not check it. Test the step, then publish the flow." in page.text
    assert len(steps_of(server, flow_id)[2]["settings"]["input"]["agentTools"]) == 2


def test_a_flow_without_such_a_step_and_an_activepieces_that_is_down(
    admin: AreaUser, server: ActivepiecesServer
) -> None:
    without = admin.visits("/agents")
    server.faults.fail("GET", "/flows", 503, times=20)
    down = admin.visits("/agents")

    assert "No flow of this workspace has such a step yet." in without.text
    assert down.status == 200
    assert "Activepieces reported an error." in down.text
    for page in (without, down):
        assert "Server URL" in page.text


def test_without_a_link_the_page_says_what_to_enter_by_hand(alice: AreaUser) -> None:
    page = alice.visits("/agents")

    assert "Activepieces has no list of such servers, so add it to each step." in page.text
    expected = (
        "MCP Name tasks Server URL http://localhost/mcp Protocol Streamable HTTP Authentication Type Access Token"
    )
    assert expected in page.text
    assert "/automation/agents/step" not in [form.action for form in page.forms]


@pytest.fixture(scope="module")
def older_server() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(version="0.78") as server:
        yield server


def test_an_older_server_does_not_check_the_endpoint(make_app: MakeApp, older_server: ActivepiecesServer) -> None:
    base_url = f"{older_server.url}/v1"
    app = make_piece_app(make_app, host=HostWithViewers(), ACTIVEPIECES_BASE_URL=base_url)[0]
    alice = area_user(app, "alice")
    ApiUser(alice).links(userToken=older_server.user_token(), projectId=older_server.project_id)
    flow_id = add_agent_flow(standin(older_server))

    page = adds(alice, create_token(alice), step=f"{flow_id}/step_2")

    assert "but Activepieces did not check it." in page.text
