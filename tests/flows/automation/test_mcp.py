"""The page of the MCP server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from flask_activepieces import Principal
from flask_activepieces.host.interface import Permission
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.mcp.settings import KIND
from tests.conftest import MakeApp
from tests.support.api_user import ApiUser
from tests.support.automation import AreaUser, area_user
from tests.support.clock import StoppedClock
from tests.support.hosts import HostWithLabs
from tests.support.pages import Page
from tests.support.storage import rows_of


class TellingHost(HostWithLabs):
    """Admins may see a new token."""

    def may_see_mcp_token(self, principal: Principal) -> bool:
        return self.allows(principal, "admin")


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(host=TellingHost(), ACTIVEPIECES_BASE_URL=server.url)


def link_with_user(person: AreaUser, server: ActivepiecesServer) -> None:
    form = person.visits("/setup", **{"with": "password"}).form("password")
    picker = person.submits(form, email=server.email, password=server.password)
    person.submits(picker.form("sealed"), project=server.project_id)


@pytest.fixture
def with_user(alice: AreaUser, server: ActivepiecesServer) -> AreaUser:
    link_with_user(alice, server)
    return alice


def token_at(server: ActivepiecesServer) -> str:
    row = server.state.store.first(KIND, projectId=server.project_id)
    assert row is not None
    return str(row["token"])


def test_a_key_is_not_enough_and_the_page_says_what_is(admin: AreaUser) -> None:
    page = admin.visits("/mcp")

    assert page.status == 200
    assert "Activepieces lets only a user manage this, not a key." in page.text
    assert page.links["Add a user"] == "/automation/setup?change=1&with=password"


def test_the_address_can_be_copied(with_user: AreaUser, server: ActivepiecesServer) -> None:
    page = with_user.visits("/mcp")

    assert f"{server.url}/mcp" in page.text
    assert f'{{"mcpServers": {{"activepieces": {{"url": "{server.url}/mcp"}}}}}}' in page.text
    assert token_at(server) not in page.response.text


def test_tools_are_switched_off(with_user: AreaUser, server: ActivepiecesServer) -> None:
    form = with_user.visits("/mcp").form("tools")

    page = with_user.submits(form, tools="ap_delete_flow\r\n\r\n ap_list_flows \r\nap_delete_flow")

    assert "The MCP server was changed." in page.text
    row = server.state.store.first(KIND, projectId=server.project_id)
    assert row is not None and row["disabledTools"] == ["ap_delete_flow", "ap_list_flows"]
    assert page.form("tools").values["tools"] == "ap_delete_flow\nap_list_flows"


@pytest.mark.parametrize("tools", ["x" * 201, "nul\0", "\n".join(map(str, range(501)))])
def test_an_invalid_list_of_tools_is_rejected(with_user: AreaUser, tools: str) -> None:
    page = with_user.submits(with_user.visits("/mcp").form("tools"), tools=tools)

    assert page.status == 422
    assert "Enter one name of a tool in each line." in page.text


def test_a_new_token_is_shown_once(with_user: AreaUser, server: ActivepiecesServer) -> None:
    with_user.visits("/mcp")
    before = token_at(server)

    page = with_user.presses(with_user.visits("/mcp"), "/mcp/rotate")

    assert token_at(server) != before
    assert token_at(server) in page.text
    assert page.response.headers["Cache-Control"] == "no-store"
    assert token_at(server) not in with_user.visits("/mcp").response.text


def test_a_new_token_asks_first_and_says_what_ends(with_user: AreaUser) -> None:
    page = with_user.visits("/mcp")

    assert "End the old token?" in page.text
    assert "Whatever uses the old token stops working immediately." in page.text
    # Closed: the button is behind the question.
    assert ("details", {"class": "ap-confirm"}) in page.tags


def test_reloading_after_a_rotation_does_not_rotate_again(with_user: AreaUser, server: ActivepiecesServer) -> None:
    sent = with_user.sends(with_user.visits("/mcp").form_to("/mcp/rotate"))
    token = token_at(server)

    with_user.sees(sent.location)
    with_user.sees(sent.location)

    assert token_at(server) == token
    assert token not in str(sent.headers)


def test_a_token_is_not_shown_after_five_minutes(
    with_user: AreaUser, server: ActivepiecesServer, clock: StoppedClock
) -> None:
    sent = with_user.sends(with_user.visits("/mcp").form_to("/mcp/rotate"))
    cookie = with_user.browser.get_cookie("activepieces_new_mcp_token", path="/automation/mcp")
    assert cookie is not None
    clock.advance(300)
    with_user.browser.set_cookie("activepieces_new_mcp_token", cookie.value, path="/automation/mcp")

    assert token_at(server) not in with_user.sees(sent.location).response.text


def test_the_token_of_one_admin_is_not_shown_to_another(
    app: Flask, with_user: AreaUser, carol: AreaUser, server: ActivepiecesServer
) -> None:
    link_with_user(carol, server)
    with_user.sends(with_user.visits("/mcp").form_to("/mcp/rotate"))
    cookie = with_user.browser.get_cookie("activepieces_new_mcp_token", path="/automation/mcp")
    assert cookie is not None
    carol.browser.set_cookie("activepieces_new_mcp_token", cookie.value, path="/automation/mcp")

    assert token_at(server) not in carol.visits("/mcp").response.text


def test_a_host_that_shows_no_token_shows_none(make_app: MakeApp, server: ActivepiecesServer) -> None:
    alice = area_user(make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url), "alice")
    link_with_user(alice, server)

    page = alice.presses(alice.visits("/mcp"), "/mcp/rotate")

    assert "There is a new token, and the old one no longer works." in page.text
    assert token_at(server) not in page.response.text
    assert rows_of(alice.browser.application, "audit_events")[-1]["name"] == "mcp.token_rotated"


# The server of the platform


def row_of_platform(server: ActivepiecesServer) -> dict[str, Any]:
    row = server.state.store.first(KIND, type="PLATFORM")
    assert row is not None
    return row


def test_an_admin_manages_the_server_of_the_platform(with_user: AreaUser, server: ActivepiecesServer) -> None:
    page = with_user.visits(with_user.visits("/mcp").links["AI access to all projects"].removeprefix("/automation"))
    token = row_of_platform(server)["token"]

    changed = with_user.submits(page.form("tools"), tools="ap_delete_flow")
    rotated = with_user.presses(changed, "/mcp/platform/rotate")

    assert f"{server.url}/mcp/platform" in page.text
    assert f'{{"mcpServers": {{"activepieces-platform": {{"url": "{server.url}/mcp/platform"}}}}}}' in page.text
    assert token not in page.response.text
    assert row_of_platform(server)["disabledTools"] == ["ap_delete_flow"]
    assert changed.form("tools").values["tools"] == "ap_delete_flow"
    assert row_of_platform(server)["token"] != token
    assert row_of_platform(server)["token"] in rotated.text
    assert row_of_platform(server)["token"] not in with_user.visits("/mcp/platform").response.text


def test_the_servers_of_the_project_and_of_the_platform_are_two(
    with_user: AreaUser, server: ActivepiecesServer
) -> None:
    with_user.submits(with_user.visits("/mcp").form("tools"), tools="ap_list_flows")

    platform = with_user.visits("/mcp/platform")

    assert "ap_list_flows" not in platform.text
    assert "No flow is a tool yet." not in platform.text
    assert platform.links["AI access (MCP)"] == "/automation/mcp"


def test_what_is_wrong_with_the_tools_of_the_platform_is_said_on_its_page(with_user: AreaUser) -> None:
    page = with_user.submits(with_user.visits("/mcp/platform").form("tools"), tools="x" * 201)

    assert page.status == 422
    assert "Enter one name of a tool in each line." in page.text
    assert page.form("tools").action == "/automation/mcp/platform/change"


def test_a_key_does_not_manage_the_server_of_the_platform(admin: AreaUser) -> None:
    assert "Activepieces lets only a user manage this, not a key." in admin.visits("/mcp/platform").text


def test_a_server_without_one_for_the_platform_says_so(make_app: MakeApp, old_server: ActivepiecesServer) -> None:
    alice = area_user(make_app(host=TellingHost(), ACTIVEPIECES_BASE_URL=f"{old_server.url}/v1"), "alice")
    ApiUser(alice).links(userToken=old_server.user_token(), projectId=old_server.project_id)

    page = alice.visits("/mcp/platform")

    assert "AI access to all projects" not in alice.visits("/mcp").links
    assert "This version or edition of Activepieces does not offer this." in page.text


def test_only_admins_see_the_server_of_the_platform(with_user: AreaUser, app: Flask) -> None:
    bob = area_user(app, "bob")

    assert bob.visits("/mcp/platform").status == 403
    for path in ("/mcp/platform/rotate", "/mcp/platform/change"):
        assert Page(bob.posts(path)).status == 403


# An older server


@pytest.fixture(scope="module")
def old_server() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(version="0.78") as server:
        yield server


def test_an_older_server_is_switched_on_and_needs_its_token(
    make_app: MakeApp, old_server: ActivepiecesServer
) -> None:
    alice = area_user(make_app(host=TellingHost(), ACTIVEPIECES_BASE_URL=f"{old_server.url}/v1"), "alice")
    ApiUser(alice).links(userToken=old_server.user_token(), projectId=old_server.project_id)
    off = alice.visits("/mcp")

    on = alice.presses(off, "/mcp/change")

    assert "The server is off. Switch it on below first." in off.text
    assert "The server is on" in on.text
    assert f"/v1/projects/{old_server.project_id}/mcp-server/http" in on.text
    assert "Whoever has the token can use the server." in on.text
    assert "Every program that uses the old token stops working immediately" in on.text


@pytest.fixture(scope="module")
def middle_server() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(version="0.83") as server:
        yield server


def test_a_server_with_enabled_tools_asks_for_those(make_app: MakeApp, middle_server: ActivepiecesServer) -> None:
    alice = area_user(make_app(host=TellingHost(), ACTIVEPIECES_BASE_URL=f"{middle_server.url}/v1"), "alice")
    ApiUser(alice).links(userToken=middle_server.user_token(), projectId=middle_server.project_id)
    before = alice.visits("/mcp")

    untouched = alice.submits(before.form("tools"))
    after = alice.submits(before.form("tools"), tools="ap_create_flow")

    assert "All tools of Activepieces are on, until you list some." in before.text
    assert "Tools that are switched on" in before.text
    assert untouched.status == 422 and "Enter at least one name of a tool." in untouched.text
    assert after.form("tools").values["tools"] == "ap_create_flow"
    row = middle_server.state.store.first(KIND, projectId=middle_server.project_id)
    assert row is not None and row["enabledTools"] == ["ap_create_flow"]


def test_only_admins_change_the_server(make_app: MakeApp, server: ActivepiecesServer) -> None:
    class Viewers(TellingHost):
        def allows(self, principal: Principal, permission: Permission) -> bool:
            return permission == "view" or super().allows(principal, permission)

    app = make_app(host=Viewers(), ACTIVEPIECES_BASE_URL=server.url)
    link_with_user(area_user(app, "alice"), server)
    bob = area_user(app, "bob")

    page = bob.visits("/mcp")

    assert f"{server.url}/mcp" in page.text
    assert not [form for form in page.forms if "page_token" in form.names]
    for path in ("/mcp/rotate", "/mcp/change"):
        assert Page(bob.posts(path)).status == 403
