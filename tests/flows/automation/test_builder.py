"""The page with the embedded builder. tests/example_app/test_builder.py opens it in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.api_user import ApiUser
from tests.support.automation import AREA, AreaUser, HostWithViewers, area_user
from tests.support.clock import StoppedClock
from tests.support.hosts import HostWithLabs
from tests.support.pages import Page
from tests.support.storage import rows_of


@pytest.fixture
def signing(server: ActivepiecesServer, clock: StoppedClock) -> dict[str, Any]:
    """The settings of an app that can embed the builder."""
    clock.now = server.state.clock()
    key_id, pem = server.add_signing_key()
    return {
        "ACTIVEPIECES_BASE_URL": server.url,
        "ACTIVEPIECES_API_KEY": server.api_key,
        "ACTIVEPIECES_SIGNING_KEY": pem,
        "ACTIVEPIECES_SIGNING_KEY_ID": key_id,
        "ACTIVEPIECES_EMBED_SDK_URL": server.embed_sdk_url,
    }


@pytest.fixture
def app(make_app: MakeApp, signing: dict[str, Any]) -> Flask:
    return make_app(host=HostWithViewers(), **signing)


@pytest.fixture
def linked(alice: AreaUser) -> AreaUser:
    """The admin of Acme, which is linked with the app's own key."""
    ApiUser(alice).links()
    return alice


def token_on(page: Page) -> str:
    return page.response.text.partition('data-token="')[2].partition('"')[0]


def test_the_page_signs_the_user_in(linked: AreaUser, server: ActivepiecesServer) -> None:
    page = linked.visits("/builder")

    assert page.status == 200
    session = ActivepiecesClient(server.url, server.api_key).embedding.exchange(token_on(page))
    assert session.external_id == "acme/alice"


def test_the_navigation_leads_to_the_page(linked: AreaUser) -> None:
    assert linked.visits().links["Builder"] == "/automation/builder"


def test_the_page_may_only_load_the_sdk_and_show_activepieces(linked: AreaUser, server: ActivepiecesServer) -> None:
    headers = linked.visits("/builder").response.headers

    policy = headers["Content-Security-Policy"]
    assert f"script-src 'self' {server.url}; frame-src {server.url}; " in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    other = linked.visits("/flows").response.headers["Content-Security-Policy"]
    assert server.url not in other
    assert "frame-src" not in other


def test_those_who_may_only_look_are_viewers(app: Flask, linked: AreaUser, server: ActivepiecesServer) -> None:
    page = area_user(app, "bob").visits("/builder")

    client = ActivepiecesClient(server.url, server.api_key)
    session = client.embedding.exchange(token_on(page))
    roles = {each.user_id: each.project_role.name for each in client.members.list(session.project_id)}
    assert roles == {session.user_id: "Viewer"}


def test_users_without_permission_get_no_token(make_app: MakeApp, signing: dict[str, Any]) -> None:
    app = make_app(host=HostWithLabs(), **signing)
    ApiUser(area_user(app, "alice")).links()

    page = area_user(app, "bob").visits("/builder")

    assert page.status == 403
    assert "data-token" not in page.response.text
    assert rows_of(app, "provisioned_users") == []


def test_attack_the_builder_of_another_tenant(app: Flask, linked: AreaUser, carol: AreaUser) -> None:
    page = carol.visits("/builder")

    assert (page.status, page.response.location) == (303, "/automation/setup")


def test_a_flow_opens_on_this_page(linked: AreaUser, server: ActivepiecesServer) -> None:
    """Users have no account of Activepieces if the workspace uses the app's own key."""
    client = ActivepiecesClient(server.url, server.api_key)
    project = client.projects.find("acme")
    assert project is not None
    flow = client.flows.create(project.id, "Weekly report")

    flows = linked.visits("/flows")

    assert flows.links["Weekly report"] == f"/automation/builder?flow={flow.id}"
    assert flows.links["Build in Activepieces"] == "/automation/builder"
    assert f'data-route="/flows/{flow.id}"' in linked.sees(flows.links["Weekly report"]).response.text


def test_attack_a_flow_that_is_a_path(linked: AreaUser) -> None:
    page = linked.visits("/builder", flow='../../platform"><script>')

    assert 'data-route="/flows/..%2F..%2Fplatform%22%3E%3Cscript%3E"' in page.response.text


@pytest.mark.parametrize("missing", ["ACTIVEPIECES_API_KEY", "ACTIVEPIECES_SIGNING_KEY"])
def test_without_a_key_there_is_no_link(
    make_app: MakeApp, signing: dict[str, Any], server: ActivepiecesServer, missing: str
) -> None:
    del signing[missing]
    if missing == "ACTIVEPIECES_SIGNING_KEY":
        del signing["ACTIVEPIECES_SIGNING_KEY_ID"]
    alice = area_user(make_app(host=HostWithLabs(), **signing), "alice")
    alice.links(server)

    assert "Builder" not in alice.visits().links


def test_tenants_that_share_a_project_have_no_link(
    make_app: MakeApp, signing: dict[str, Any], server: ActivepiecesServer
) -> None:
    app = make_app(host=HostWithLabs(), **signing, ACTIVEPIECES_PROJECT_ID=server.project_id)
    alice = area_user(app, "alice")
    ApiUser(alice).links()

    page = alice.visits("/builder")

    assert "Builder" not in alice.visits().links
    assert page.status == 409
    assert "This Activepieces cannot do that." in page.text
    assert rows_of(app, "provisioned_users") == []


def test_a_workspace_with_its_own_account_is_led_to_activepieces(alice: AreaUser, server: ActivepiecesServer) -> None:
    alice.links(server)

    page = alice.visits("/builder")

    assert page.status == 200
    assert "Its flows are built there." in page.text
    assert page.links["Open Activepieces"] == f"{server.url}/projects/{server.project_id}/flows"
    assert alice.visits("/flows").links["Build in Activepieces"] == page.links["Open Activepieces"]


def test_a_workspace_that_is_off_is_not_shown(linked: AreaUser, app: Flask) -> None:
    linked.presses(linked.visits("/setup"), "/setup/switch", enabled="0")

    page = linked.visits("/builder")

    assert page.status == 409
    assert "Automation is off" in page.text


def test_the_color_scheme_of_the_app_is_passed_on(make_app: MakeApp, signing: dict[str, Any]) -> None:
    app = make_app(host=HostWithLabs(), **signing, ACTIVEPIECES_COLOR_SCHEME="dark")
    alice = area_user(app, "alice")
    ApiUser(alice).links()

    assert "&#34;styling&#34;: {&#34;mode&#34;: &#34;dark&#34;}" in alice.sees(f"{AREA}/builder").response.text
