"""The consent flow of the README: a person connects a program, chooses its access, and revokes it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import delete, select

from example_app.models import Membership, User, db
from tests.example_app.actors import CALLBACK, Person, Program


def test_visitor_gets_the_consent_page_after_login(program: Program, visitor: Person) -> None:
    login = visitor.get_page(program.authorize_url())
    form = login.form("password")

    response = visitor.submit(form, email="admin@acme.test", password="demo")

    assert "Test program" in visitor.get_page(response.location).text


def test_consent_page_shows_program_user_workspace_and_scopes(program: Program, ada: Person) -> None:
    page = ada.get_page(program.authorize_url())

    for content in (
        "Test program",
        "Ada Acker",
        "Acme Labs",
        "See your name and e-mail address",
        "See the tasks of the workspace",
        "Create and change tasks of the workspace",
        "program.test",
    ):
        assert content in page.text


def test_person_switches_the_account(program: Program, ada: Person) -> None:
    form = ada.get_page(program.authorize_url()).form("decision")

    login = ada.get_page(ada.submit(form, decision="switch").location)
    response = ada.submit(login.form("password"), email="member@acme.test", password="demo")

    assert "Sign in to continue to Test program ." in login.text
    assert "Signed in as Milo" in ada.get_page(response.location).text


def test_person_chooses_the_workspace(program: Program, ada: Person) -> None:
    program.connect(ada, workspace="acme-labs")

    assert program.task_titles() == ["Write down what the rocket skates did"]


def test_user_of_one_company_does_not_choose_a_workspace(program: Program, gwen: Person) -> None:
    page = gwen.get_page(program.authorize_url())

    assert page.form("decision").values["workspace"] == "globex"
    assert not [attributes for _, attributes in page.tags if attributes.get("type") == "radio"]


def test_workspace_of_another_company_cannot_be_shared(program: Program, gwen: Person) -> None:
    consent = gwen.get_page(program.authorize_url()).form("decision")

    response = gwen.submit(consent, decision="approve", workspace="acme")

    assert "code=" not in (response.location or "")


def test_deselected_scope_is_not_granted(program: Program, ada: Person) -> None:
    program.connect(ada, scope=["tasks:read"])

    assert program.token["scope"] == "tasks:read"
    assert program.call("GET", "/api/tasks").status_code == 200
    assert program.call("GET", "/api/me").status_code == 403


def test_denial_returns_to_the_program_with_its_state(program: Program, ada: Person) -> None:
    response = ada.submit(ada.get_page(program.authorize_url()).form("decision"), decision="deny")

    parameters = parse_qs(urlsplit(response.location).query)
    assert response.location.startswith(f"{CALLBACK}?")
    assert parameters["error"] == ["access_denied"]
    assert parameters["state"] == ["a state"]


def test_consent_form_cannot_be_submitted_by_another_browser(program: Program, ada: Person, gwen: Person) -> None:
    consent = ada.get_page(program.authorize_url()).form("decision")

    response = gwen.submit(consent, decision="approve")

    assert "code=" not in (response.location or "")


def test_connected_app_is_listed_and_can_be_disconnected(program: Program, ada: Person) -> None:
    assert "No connected apps" in ada.get_page("/oauth/connected-apps").text
    program.connect(ada, workspace="acme-labs")

    page = ada.get_page("/oauth/connected-apps")
    assert "Test program" in page.text
    assert "Acme Labs" in page.text
    ada.submit(page.form_to("/disconnect"))

    assert "No connected apps" in ada.get_page("/oauth/connected-apps").text
    assert program.call("GET", "/api/tasks").status_code == 401


def test_disconnecting_does_not_affect_other_users(
    program: Program, tasklane: Flask, ada: Person, milo: Person
) -> None:
    program.connect(ada)
    other = Program(tasklane, program.client_id, program.client_secret).connect(milo)

    ada.submit(ada.get_page("/oauth/connected-apps").form_to("/disconnect"))

    assert other.call("GET", "/api/tasks").status_code == 200


def test_grants_check_revokes_grants_of_former_members(
    program: Program, tasklane: Flask, ada: Person, milo: Person
) -> None:
    program.connect(milo)
    other = Program(tasklane, program.client_id, program.client_secret).connect(ada)
    with tasklane.app_context():
        milos = select(User.id).filter_by(email="member@acme.test").scalar_subquery()
        db.session.execute(delete(Membership).where(Membership.user_id == milos))
        db.session.commit()

    tasklane.test_cli_runner().invoke(args=["activepieces", "grants", "check", "--revoke"])

    assert program.call("GET", "/api/tasks").status_code == 401
    assert other.call("GET", "/api/tasks").status_code == 200
    response = program.request_token(grant_type="refresh_token", refresh_token=program.token["refresh_token"])
    assert response.json
    assert response.json["error"] == "invalid_grant"


def test_only_admins_manage_clients(ada: Person, milo: Person) -> None:
    assert ada.get_page("/automation/clients").status == 200
    assert milo.get_page("/automation/clients").status == 403


def test_client_secret_is_shown_once_to_the_admin(ada: Person) -> None:
    form = ada.get_page("/automation/clients/new").form("redirect_uris")

    response = ada.submit(form, name="Our flows", redirect_uris=CALLBACK, scope=["tasks:read"])
    created = ada.get_page(response.location).text if response.location else response.text

    assert "Copy the client secret now" in created
    assert "Our flows" in ada.get_page("/automation/clients").links
    client_page = ada.get_page(ada.get_page("/automation/clients").links["Our flows"])
    assert "Copy the client secret now" not in client_page.text
    assert "Our flows" in client_page.text
