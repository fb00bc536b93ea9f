"""The page on which people see and disconnect the apps that they approved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask

from flask_activepieces import Principal, Workspace
from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.document_clients import Site, agent
from tests.support.error_assertions import assert_error_page, assert_not_frameable
from tests.support.hosts import HostWithLabs, SmallHost
from tests.support.pages import Form, Page
from tests.support.storage import database_away, row_counts, rows_of

PAGE = "/oauth/connected-apps"


def buttons(page: Page) -> list[Form]:
    return [form for form in page.forms if form.action.endswith("/disconnect")]


def connect_again(program: Program, person: Person) -> dict[str, Any]:
    """Sign in once more with an app approved before."""
    return program.connects(person)


def test_an_anonymous_user_signs_in_first_and_returns(stranger: Person) -> None:
    sent = stranger.opens(PAGE)

    assert (sent.status_code, sent.location) == (302, "/login?next=%2Foauth%2Fconnected-apps")


def test_the_page_without_apps_says_so(bob: Person) -> None:
    page = bob.sees(PAGE)

    assert page.status == 200
    assert "No connected apps" in page.text
    assert not buttons(page)


def test_an_app_is_shown_with_its_scopes_workspace_and_dates(app: Flask, bob: Person, clock: StoppedClock) -> None:
    program = Program.registered(app, "--description", "Moves your tasks about")
    pair = program.connects(bob, scope=["profile:read", "tasks:read"])
    clock.advance(days=2)
    program.refreshes(pair["refresh_token"])

    page = bob.sees(PAGE)

    for text in (
        "Program",
        "Moves your tasks about",
        "See your name",
        "See tasks",
        "Acme",
        "Connected 2 days ago",
        "Last used just now",
        "Connections 1",
    ):
        assert text in page.text, text
    titles = [attributes.get("title") for tag, attributes in page.tags if tag == "time"]
    assert titles == ["15 Jan 2027, 08:00 UTC", "17 Jan 2027, 08:00 UTC", "15 Jan 2027, 08:00 UTC"]
    assert "Change tasks" not in page.text
    assert len(buttons(page)) == 1
    assert_not_frameable(page.response)


def test_an_approved_app_is_shown_before_it_redeems_its_code(program: Program, bob: Person) -> None:
    bob.allows(program.question())

    page = bob.sees(PAGE)

    assert "Last used Never" in page.text
    assert "Connections 0" in page.text
    assert len(buttons(page)) == 1


def test_only_active_token_families_are_counted(program: Program, bob: Person, clock: StoppedClock) -> None:
    program.connects(bob)
    connect_again(program, bob)
    revoked = connect_again(program, bob)
    program.revokes(revoked["refresh_token"])

    assert "Connections 2" in bob.sees(PAGE).text

    clock.advance(days=91)
    assert "Connections 0" in bob.sees(PAGE).text


def test_scopes_of_an_active_token_family_are_shown_after_a_narrower_approval(program: Program, bob: Person) -> None:
    program.connects(bob, scope=["profile:read", "tasks:write"])
    bob.allows(program.question(prompt="consent"), scope=["profile:read"])

    assert "Change tasks" in bob.sees(PAGE).text


class HostWithLocalIds(SmallHost):
    """User ids are only unique within a tenant."""

    tenant = "acme"

    def current_principal(self) -> Principal | None:
        return Principal("1", self.tenant, "One")

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        return [Workspace(self.tenant, self.tenant.title())]


def test_the_same_user_id_in_another_tenant_is_another_person(make_app: MakeApp) -> None:
    host = HostWithLocalIds()
    app = make_app(host=host)
    program, person = Program.registered(app), Person(app)
    token = program.connects(person)["refresh_token"]
    (grant,) = rows_of(app, "grants")

    host.tenant = "globex"
    page = person.sees(PAGE)
    # A valid page token, but the other person's grant.
    other_token = program.connects(person)["refresh_token"]
    (button,) = buttons(person.sees(PAGE))
    refused = person.sends(Form(f"{PAGE}/{grant['id']}/disconnect", button.names, button.values))

    assert buttons(page) == []
    assert_error_page(refused, 404)
    for refresh_token in (token, other_token):
        assert program.refreshes(refresh_token).status_code == 200


def test_all_workspaces_of_a_person_are_on_one_page(app: Flask, alice: Person) -> None:
    program = Program.registered(app)
    alice.allows(program.question(), workspace="acme")
    alice.allows(program.question(), workspace="acme-labs")

    page = alice.sees(PAGE)

    assert len(buttons(page)) == 2
    assert "Acme-Labs" in page.text


@pytest.fixture
def with_labs(make_app: MakeApp) -> Flask:
    """Acme has an organization, Labs."""
    return make_app(host=HostWithLabs())


def test_two_organizations_of_a_tenant_are_two_grants(with_labs: Flask) -> None:
    program, bob = Program.registered(with_labs), Person(with_labs, "bob")
    whole = program.connects(bob, workspace="acme", scope="tasks:read")
    labs = program.connects(bob, workspace="acme/labs", scope="tasks:write")

    page = bob.sees(PAGE)
    assert len(buttons(page)) == 2
    assert [page.text.count(f"Workspace {name}") for name in ("Acme", "Labs")] == [1, 1]
    (grant_id,) = [row["id"] for row in rows_of(with_labs, "grants") if row["organization_id"] == "labs"]
    bob.sends(page.form_to(f"{grant_id}/disconnect"))

    assert program.calls(labs["access_token"]).status_code == 401
    assert program.refreshes(labs["refresh_token"]).status_code == 400
    assert program.calls(whole["access_token"]).status_code == 200
    assert program.refreshes(whole["refresh_token"]).status_code == 200


def test_approving_an_organization_again_keeps_its_grant(with_labs: Flask) -> None:
    program, bob = Program.registered(with_labs), Person(with_labs, "bob")
    for workspace in ("acme", "acme/labs", "acme", "acme/labs"):
        program.connects(bob, workspace=workspace)

    assert row_counts(with_labs)["grants"] == 2
    assert bob.sees(PAGE).text.count("Connections 2") == 2


def test_a_code_keeps_its_organization_after_a_later_approval_for_another(with_labs: Flask) -> None:
    """Each organization has its own grant; the last choice does not overwrite the first."""
    program, bob = Program.registered(with_labs), Person(with_labs, "bob")
    labs_code = bob.allows(program.question(), workspace="acme/labs")
    bob.allows(program.question(), workspace="acme")

    program.redeems(labs_code)

    (family,) = rows_of(with_labs, "token_families")
    (grant,) = [row for row in rows_of(with_labs, "grants") if row["id"] == family["grant_id"]]
    assert (family["organization_id"], grant["organization_id"]) == ("labs", "labs")


def test_disconnecting_revokes_tokens_and_codes_immediately(app: Flask, program: Program, bob: Person) -> None:
    pair = program.connects(bob)
    unredeemed = bob.allows(program.question())

    answer = bob.sends(buttons(bob.sees(PAGE))[0])
    page = bob.sees(answer.location)

    assert (answer.status_code, answer.location) == (303, f"{PAGE}?disconnected=1")
    assert "The app was disconnected." in page.text
    assert not buttons(page)
    assert program.calls(pair["access_token"]).status_code == 401
    assert answer_of(program.refreshes(pair["refresh_token"]), 400)["error"] == "invalid_grant"
    assert answer_of(program.redeems(unredeemed), 400)["error"] == "invalid_grant"


def test_a_disconnected_app_needs_a_new_approval_and_then_works_immediately(program: Program, bob: Person) -> None:
    program.connects(bob)
    bob.sends(buttons(bob.sees(PAGE))[0])

    assert bob.sees(program.question()).form("decision")
    pair = program.connects(bob)

    assert program.calls(pair["access_token"]).status_code == 200


def test_disconnecting_affects_only_one_app_and_one_person(app: Flask, bob: Person, alice: Person) -> None:
    disconnected, connected = Program.registered(app), Program.registered(app)
    first, second = disconnected.connects(bob), connected.connects(bob)
    alices_tokens = disconnected.connects(alice)
    grant = next(r for r in rows_of(app, "grants") if r["client_id"] == disconnected.client_id)

    bob.sends(bob.sees(PAGE).form_to(f"{grant['id']}/disconnect"))

    assert disconnected.calls(first["access_token"]).status_code == 401
    assert connected.calls(second["access_token"]).status_code == 200
    assert disconnected.calls(alices_tokens["access_token"]).status_code == 200


def test_no_one_can_disconnect_another_persons_app(
    app: Flask, program: Program, alice: Person, bob: Person, carol: Person
) -> None:
    """Even with a valid page token of their own, the grant is not found."""
    program.connects(alice)
    form = buttons(alice.sees(PAGE))[0]

    for other in (bob, carol):
        program.connects(other)
        form_of_other = buttons(other.sees(PAGE))[0]
        assert_error_page(other.browser.post(form.action, data=form_of_other.values), 404)

    assert row_counts(app)["grants"] == 3


@pytest.mark.parametrize("page_token", ["", "wrong", "é", None], ids=["empty", "wrong", "not ASCII", "missing"])
def test_a_forged_form_disconnects_nothing(app: Flask, program: Program, bob: Person, page_token: str | None) -> None:
    program.connects(bob)
    form = buttons(bob.sees(PAGE))[0]
    form.values.pop("page_token")
    if page_token is not None:
        form.values["page_token"] = page_token

    page = assert_error_page(bob.sends(form), 400)

    assert "Nothing was changed" in page.text
    assert row_counts(app)["grants"] == 1


def test_a_form_is_bound_to_its_browser_and_person(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)
    form = buttons(bob.sees(PAGE))[0]

    assert_error_page(Person(app, "bob").sends(form), 400)
    bob.sign_in("alice")
    assert_error_page(bob.sends(form), 400)

    assert row_counts(app)["grants"] == 1


def test_disconnecting_twice_is_not_found(program: Program, bob: Person) -> None:
    program.connects(bob)
    form = buttons(bob.sees(PAGE))[0]
    bob.sends(form)

    assert_error_page(bob.sends(form), 404)


def test_the_button_pressed_after_logout_leads_to_the_login_page(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)
    form = buttons(bob.sees(PAGE))[0]
    bob.opens("/logout")

    answer = bob.sends(form)

    assert answer.location.startswith("/login?next=")
    assert row_counts(app)["grants"] == 1


def test_login_after_the_button_returns_to_a_page_that_can_be_opened(program: Program, bob: Person) -> None:
    """The form's URL accepts only POST, so returning to it would answer 405."""
    program.connects(bob)
    form = buttons(bob.sees(PAGE))[0]
    bob.opens("/logout")
    login = bob.sends(form).location

    assert bob.sees(f"{login}&as=bob").status == 200


def test_the_page_answers_503_while_the_database_is_down(app: Flask, bob: Person) -> None:
    with database_away(app):
        response = bob.opens(PAGE)

    page = assert_error_page(response, 503)
    assert response.headers["Retry-After"] == "5"
    assert "Please try again in a moment" in page.text


def test_an_apps_name_is_escaped(app: Flask, bob: Person) -> None:
    result = app.test_cli_runner().invoke(
        args=["activepieces", "client", "create", "--name", "<b>x</b><script>alert(1)</script>"]
        + ["--redirect-uri", "https://program.test/callback", "--scope", "profile:read", "--json"]
    )
    assert result.exit_code == 0
    client = rows_of(app, "oauth_clients")[0]
    bob.allows(Program(app, client["client_id"], None).question(scope="profile:read"))

    page = bob.sees(PAGE)

    assert "<b>x</b><script>alert(1)</script>" in page.text
    assert "b" not in {tag for tag, _ in page.tags}
    assert all("src" in attributes for tag, attributes in page.tags if tag == "script")


def test_agents_are_shown_apart_from_automations(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_MCP=True, ACTIVEPIECES_DYNAMIC_REGISTRATION=True)
    bob = Person(app, "bob")
    Program.registered(app, "--name", "Flows").connects(bob)
    assert "AI agents" not in bob.sees("/oauth/connected-apps").text

    # A registered client that uses the MCP endpoint, and one that registered itself.
    cursor = Program.registered(app, "--name", "Cursor")
    cursor.redeems(bob.allows(cursor.question(resource="http://localhost/mcp")))
    metadata = {"client_name": "Robin", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    made = answer_of(app.test_client().post("/oauth/register", json=metadata), 201)
    bob.answers(Program(app, made["client_id"], None).question())
    text = " ".join(bob.sees("/oauth/connected-apps").text.split())

    automations, _, agents = text.partition("AI agents")
    assert "Flows" in automations.partition("Automations")[2]
    assert "Cursor" in agents
    assert "Robin Not verified" in agents
    assert "Cursor Not verified" not in agents


def test_the_page_says_where_an_agent_comes_from(agent_app: Flask, agent_site: Site) -> None:
    robert = Person(agent_app, "bob")
    robert.answers(agent(agent_app, agent_site).question())

    text = " ".join(robert.sees("/oauth/connected-apps").text.split())

    assert f"Robin Not verified · comes from {agent_site.url.removeprefix('http://')}" in text
