"""Who may open the automation area, in which workspace, and what each user is offered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask, render_template_string

from flask_activepieces import NavigationItem, Principal, Workspace, get_state
from flask_activepieces.host.interface import Permission
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import Person, answer_of
from tests.support.automation import AREA, AreaUser, HostWithViewers, area_user
from tests.support.error_assertions import assert_error_page, assert_not_frameable
from tests.support.hosts import SmallHost
from tests.support.pages import Page
from tests.support.storage import database_away, rows_of

GET_ROUTES = ["", "/setup", "/setup/unlink", "/workspace"]
POST_ROUTES = ["/setup/link", "/setup/project", "/setup/switch", "/setup/unlink"]


@pytest.mark.parametrize("path", GET_ROUTES)
def test_a_stranger_signs_in_first_and_returns(app: Flask, path: str) -> None:
    response = Person(app).opens(AREA + path)

    assert response.status_code == 302
    assert response.location == "/login?next=" + (AREA + path).replace("/", "%2F")


@pytest.mark.parametrize("path", POST_ROUTES)
def test_a_form_of_a_stranger_leads_to_its_page_after_the_login(app: Flask, path: str) -> None:
    response = Person(app).browser.post(AREA + path)

    assert (response.status_code, response.location) == (302, "/login?next=%2Fautomation%2Fsetup")


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/setup/link", "/setup"),
        ("/setup/project", "/setup"),
        ("/connections/one-click", "/connections"),
        ("/connections/id of one/rename", "/connections/id%20of%20one"),
        ("/flows/one/switch", "/flows"),
        ("/deliveries/replay", "/deliveries"),
        ("/deliveries/7/replay", "/deliveries/7"),
        ("/mcp/platform/rotate", "/mcp/platform"),
        ("/clients/one/rotate", "/clients/one"),
    ],
)
def test_the_address_of_a_button_leads_to_its_page(admin: AreaUser, path: str, page: str) -> None:
    """A page that says what is wrong with a form has the address to which the form was sent."""
    response = admin.opens(AREA + path)

    assert (response.status_code, response.location) == (303, AREA + page)


def test_no_page_of_the_area_is_refused_with_the_method_of_a_link(app: Flask, admin: AreaUser) -> None:
    addresses = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(AREA)]

    methods = {rule.rule: set[str]() for rule in addresses}
    for rule in addresses:
        methods[rule.rule] |= rule.methods or set()

    assert [rule for rule, accepted in methods.items() if "GET" not in accepted] == []


@pytest.mark.parametrize("path", ["", "/setup", "/setup/unlink"])
def test_a_member_without_permission_is_refused(bob: AreaUser, path: str) -> None:
    page = assert_error_page(bob.opens(AREA + path), 403)

    assert "Your account does not have access to this page." in page.text


@pytest.mark.parametrize("path", POST_ROUTES)
def test_a_member_without_permission_changes_nothing(app: Flask, admin: AreaUser, bob: AreaUser, path: str) -> None:
    before = rows_of(app, "integrations")

    assert bob.browser.post(AREA + path).status_code == 403

    assert rows_of(app, "integrations") == before


@pytest.mark.parametrize("path", POST_ROUTES)
def test_a_form_without_its_page_token_changes_nothing(app: Flask, admin: AreaUser, path: str) -> None:
    before = rows_of(app, "integrations")

    assert_error_page(admin.browser.post(AREA + path, data={"enabled": "0"}), 400)

    assert rows_of(app, "integrations") == before


def test_the_pages_allow_only_the_scripts_of_the_app(alice: AreaUser) -> None:
    response = alice.visits().response

    assert_not_frameable(response)
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]


def test_an_outage_of_the_database_is_an_error_page(app: Flask, admin: AreaUser) -> None:
    with database_away(app):
        page = admin.visits()

    assert page.status == 503
    assert "The database is currently unavailable." in page.text


# Permissions


@pytest.fixture
def app_with_viewers(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(host=HostWithViewers(), ACTIVEPIECES_BASE_URL=server.url)


def test_a_viewer_is_offered_only_what_they_may_open(app_with_viewers: Flask, server: ActivepiecesServer) -> None:
    area_user(app_with_viewers, "alice").links(server)

    page = area_user(app_with_viewers, "bob").visits()

    assert page.status == 200
    assert "Overview" in page.links
    assert "Settings" not in page.links


def test_a_viewer_of_a_workspace_without_a_link_is_sent_to_an_admin(app_with_viewers: Flask) -> None:
    page = area_user(app_with_viewers, "bob").visits()

    assert "Ask an administrator of your workspace to connect it." in page.text
    assert "Connect Activepieces" not in page.links


# Workspaces


def select(person: AreaUser, workspace: str) -> Page:
    return person.submits(person.visits("/workspace").form_to("/workspace"), workspace=workspace)


def test_an_admin_of_several_workspaces_switches(app: Flask, admin: AreaUser, server: ActivepiecesServer) -> None:
    switched = select(admin, "acme-labs")
    admin.links(server)

    assert "You now work in this workspace." in switched.text
    assert "Let your work run by itself" in switched.text
    assert {row["tenant_id"] for row in rows_of(app, "integrations")} == {"acme", "acme-labs"}


def test_a_form_of_another_workspace_changes_nothing_and_says_which_one(app: Flask, admin: AreaUser) -> None:
    """Two tabs: a form of the first is sent after the second has switched the workspace."""
    form = admin.visits("/setup").form_to("/setup/switch")
    select(admin, "acme-labs")

    page = admin.submits(form)

    assert page.status == 409
    assert "Another workspace is open now" in page.text
    assert "Nothing was changed: the form was for the workspace Acme." in page.text
    assert page.links["Open the page"] == "/automation/setup"
    assert "Overview" in page.links
    assert rows_of(app, "integrations")[0]["enabled"]


def test_a_form_of_another_browser_leads_back_to_its_page(app: Flask, admin: AreaUser) -> None:
    form = area_user(app, "alice").visits("/setup").form_to("/setup/switch")

    page = admin.submits(form)

    assert page.status == 400
    assert "the page was opened by another user, or in another browser" in page.text
    assert page.links["Open the page"] == "/automation/setup"


def test_an_organization_has_its_own_link(app: Flask, admin: AreaUser, server: ActivepiecesServer) -> None:
    select(admin, "acme/labs")

    # Until it has one, it uses that of the tenant.
    assert "No problems found" in admin.visits().text


def test_the_selection_does_not_affect_other_pages(app: Flask, admin: AreaUser) -> None:
    select(admin, "acme-labs")

    (integration,) = answer_of(admin.opens("/api/integration/activepieces/setup"))["data"]
    assert integration["tenantId"] == "acme"


@pytest.mark.parametrize("workspace", ["globex", "acme/unknown", "x", "é"])
def test_a_workspace_of_others_is_not_found(admin: AreaUser, workspace: str) -> None:
    page = select(admin, workspace)

    assert page.status == 404
    assert "Workspace Acme " in admin.visits().text


def test_a_choice_is_needed(admin: AreaUser) -> None:
    page = select(admin, "")

    assert page.status == 422
    assert "Workspace: Choose one of your workspaces." in page.text


def selection(person: AreaUser) -> str:
    """What this browser remembers."""
    cookie = person.browser.get_cookie("activepieces_workspace", path=AREA)
    assert cookie is not None
    return cookie.value


@pytest.mark.parametrize("forged", ["", "x", "acme-labs", ".acme-labs", "é.acme-labs", "{signature}.globex"])
def test_a_forged_selection_is_ignored(admin: AreaUser, forged: str) -> None:
    select(admin, "acme-labs")
    signature = selection(admin).partition(".")[0]
    admin.browser.set_cookie("activepieces_workspace", forged.format(signature=signature), path=AREA)

    assert "Workspace Acme " in admin.visits().text


def test_the_selection_is_of_one_user(make_app: MakeApp) -> None:
    """Another admin who signs in with the same browser begins in their own workspace."""

    class TwoAdmins(SmallHost):
        def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
            return Principal(user_id, tenant_id, user_id.title())

        def allows(self, principal: Principal, permission: Permission) -> bool:
            return True

        def workspaces(self, principal: Principal) -> Sequence[Workspace]:
            return [Workspace("acme", "Acme"), Workspace("globex", "Globex")]

    app = make_app(host=TwoAdmins())
    alice, bob = area_user(app, "alice"), area_user(app, "bob")
    select(alice, "globex")
    bob.browser.set_cookie("activepieces_workspace", selection(alice), path=AREA)

    assert "Workspace Globex " in alice.visits().text
    assert "Workspace Acme " in bob.visits().text


def test_the_selection_is_kept_from_scripts_and_other_pages(admin: AreaUser) -> None:
    sent = admin.sends(admin.visits("/workspace").form_to("/workspace"), workspace="acme-labs")

    (cookie,) = [each for each in sent.headers.getlist("Set-Cookie") if each.startswith("activepieces_workspace=")]
    for attribute in ("HttpOnly", "SameSite=Lax", f"Path={AREA}"):
        assert attribute in cookie
    # Until the browser is closed.
    assert "Expires" not in cookie
    assert "Max-Age" not in cookie


@pytest.mark.parametrize("path", ["", "/connections", "/clients", "/setup", "/connections/unknown"])
def test_every_page_leads_to_the_switcher(admin: AreaUser, path: str) -> None:
    assert admin.visits(path).links["Switch"].startswith(f"{AREA}/workspace?page=")


def test_switching_leads_back_to_the_page(admin: AreaUser) -> None:
    page = admin.sees(admin.visits("/clients").links["Switch"])

    page = admin.submits(page.form_to("/workspace"), workspace="acme-labs")

    assert "You now work in this workspace." in page.text
    assert "No OAuth clients yet" in page.text


@pytest.mark.parametrize("name", ["connections", "unknown", "https://evil.test/"])
def test_a_page_that_the_other_workspace_does_not_have_leads_to_the_first_one(admin: AreaUser, name: str) -> None:
    """Acme-Labs is not linked, so that it has no connections."""
    form = admin.visits("/workspace", page=name).form_to("/workspace")

    sent = admin.sends(form, workspace="acme-labs")

    assert (sent.status_code, sent.location) == (303, "/automation?done=workspace-selected")


def test_a_user_who_left_the_selected_workspace_is_back_in_their_own(
    admin: AreaUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(admin, "acme-labs")
    host = get_state(admin.browser.application).host
    monkeypatch.setattr(host, "load_principal", lambda user_id, tenant_id: None)

    assert "Workspace Acme " in admin.visits().text


def test_a_page_of_one_organization_changes_nothing_in_another_of_the_tenant(
    linked_app: Flask, server: ActivepiecesServer
) -> None:
    """A link can switch the workspace. The key of the one must not be stored for the other."""
    alice = area_user(linked_app, "alice")
    form = alice.visits("/setup", **{"with": "key"}).form("api_key")
    select(alice, "acme/labs")

    page = alice.submits(form, api_key=server.api_key)

    assert (page.status, "Another workspace is open now" in page.text) == (409, True)
    assert rows_of(linked_app, "integrations") == []


def test_many_workspaces_are_chosen_from_a_list(make_app: MakeApp) -> None:
    class Holding(SmallHost):
        def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
            return Principal(user_id, tenant_id, "Alice")

        def workspaces(self, principal: Principal) -> Sequence[Workspace]:
            return [Workspace(f"company-{number}", f"Company {number}") for number in range(200)]

    alice = area_user(make_app(host=Holding()), "alice")
    page = alice.visits("/workspace")

    switched = select(alice, "company-150")

    assert [tag for tag, attributes in page.tags if tag == "select" and attributes.get("name") == "workspace"]
    assert "Workspace Company 150 " in switched.text


def test_a_user_of_one_workspace_is_not_asked_to_switch(make_app: MakeApp) -> None:
    carol = area_user(make_app(), "carol")

    assert "Switch" not in carol.visits().links


def test_a_workspace_without_permission_is_not_offered(make_app: MakeApp) -> None:
    class OnlyAcme(SmallHost):
        def allows(self, principal: Principal, permission: Permission) -> bool:
            return principal.tenant_id == "acme"

    alice = area_user(make_app(host=OnlyAcme()), "alice")

    page = alice.visits("/workspace")

    assert "Acme-Labs" not in page.text


# Switched off, elsewhere, and in the host's navigation


def test_a_page_that_is_switched_off_does_not_exist(make_app: MakeApp) -> None:
    alice = area_user(make_app(ACTIVEPIECES_DISABLED_PAGES=["setup"]), "alice")

    overview = alice.visits()

    assert alice.visits("/setup").status == 404
    assert "Settings" not in overview.links
    assert "Ask an administrator of your workspace to connect it." in overview.text


def test_the_area_can_be_elsewhere(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(ACTIVEPIECES_AUTOMATION_PREFIX="/settings/flows", ACTIVEPIECES_BASE_URL=server.url)
    alice = Person(app, "alice")

    wizard = alice.sees("/settings/flows/setup")

    assert wizard.status == 200
    form = wizard.form("api_key")
    assert form.action == "/settings/flows/setup/link"
    assert Page(alice.sends(form, api_key="sk-unknown")).status == 422


class HelpfulHost(SmallHost):
    """Adds a link, and removes one."""

    def navigation(self, principal: Principal, items: Sequence[NavigationItem]) -> Sequence[NavigationItem]:
        return [*(item for item in items if item.name != "setup"), NavigationItem("help", "Help", "/help")]


def test_the_host_changes_the_navigation(make_app: MakeApp) -> None:
    page = area_user(make_app(host=HelpfulHost()), "alice").visits()

    assert page.links["Help"] == "/help"
    assert "Settings" not in page.links


MACRO = """{% from "flask_activepieces/navigation.html" import automation_links %}
<nav>{{ automation_links(class="menu") }}</nav>"""


@pytest.mark.parametrize(("name", "has_links"), [("alice", True), ("bob", False), (None, False)])
def test_the_host_shows_the_links_in_its_own_navigation(make_app: MakeApp, name: str | None, has_links: bool) -> None:
    def first(app: Flask) -> Any:
        app.add_url_rule("/own", view_func=lambda: render_template_string(MACRO), endpoint="own")

    page = Person(make_app(first=first), name).sees("/own")

    assert ({"Overview", "Settings"} <= set(page.links)) is has_links
    assert bool(page.links) is has_links
