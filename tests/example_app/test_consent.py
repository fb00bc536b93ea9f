"""The walk of the README: a person connects a program, chooses what it gets, and takes it back."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import delete, select

from example_app.models import Membership, User, db
from tests.example_app.actors import CALLBACK, Person, Program


def test_stranger_signs_in_and_lands_on_the_consent_page(
    program: Program, stranger: Person
) -> None:
    login = stranger.sees(program.question())
    stranger_login = login.form("password")

    answer = stranger.sends(stranger_login, email="admin@acme.test", password="demo")

    assert "Test program" in stranger.sees(answer.location).text


def test_consent_page_says_what_is_at_stake(program: Program, ada: Person) -> None:
    page = ada.sees(program.question())

    for words in (
        "Test program",
        "Ada Acker",
        "Acme Labs",
        "See your name and e-mail address",
        "See the tasks of the workspace",
        "Create and change tasks of the workspace",
        "program.test",
    ):
        assert words in page.text


def test_person_chooses_the_workspace(program: Program, ada: Person) -> None:
    program.connect(ada, workspace="acme-labs")

    assert program.titles() == ["Write down what the rocket skates did"]


def test_person_of_one_company_is_not_asked_to_choose(program: Program, gwen: Person) -> None:
    page = gwen.sees(program.question())

    assert page.form("decision").values["workspace"] == "globex"
    assert not [one for _, one in page.tags if one.get("type") == "radio"]


def test_workspace_of_others_cannot_be_shared(program: Program, gwen: Person) -> None:
    consent = gwen.sees(program.question()).form("decision")

    answer = gwen.sends(consent, decision="approve", workspace="acme")

    assert "code=" not in (answer.location or "")


def test_unticked_scope_is_not_granted(program: Program, ada: Person) -> None:
    program.connect(ada, scope=["tasks:read"])

    assert program.token["scope"] == "tasks:read"
    assert program.call("GET", "/api/tasks").status_code == 200
    assert program.call("GET", "/api/me").status_code == 403


def test_denial_goes_back_to_the_program_with_its_state(program: Program, ada: Person) -> None:
    answer = ada.sends(ada.sees(program.question()).form("decision"), decision="deny")

    told = parse_qs(urlsplit(answer.location).query)
    assert answer.location.startswith(f"{CALLBACK}?")
    assert told["error"] == ["access_denied"]
    assert told["state"] == ["a state"]


def test_consent_cannot_be_sent_by_another_browser(
    program: Program, ada: Person, gwen: Person
) -> None:
    consent = ada.sees(program.question()).form("decision")

    answer = gwen.sends(consent, decision="approve")

    assert "code=" not in (answer.location or "")


def test_connected_app_is_shown_and_disconnected(program: Program, ada: Person) -> None:
    assert "No connected apps" in ada.sees("/oauth/connected-apps").text
    program.connect(ada, workspace="acme-labs")

    page = ada.sees("/oauth/connected-apps")
    assert "Test program" in page.text
    assert "Acme Labs" in page.text
    ada.sends(page.form_to("/disconnect"))

    assert "No connected apps" in ada.sees("/oauth/connected-apps").text
    assert program.call("GET", "/api/tasks").status_code == 401


def test_disconnecting_leaves_other_people_connected(
    program: Program, tasklane: Flask, ada: Person, milo: Person
) -> None:
    program.connect(ada)
    other = Program(tasklane, program.client_id, program.client_secret).connect(milo)

    ada.sends(ada.sees("/oauth/connected-apps").form_to("/disconnect"))

    assert other.call("GET", "/api/tasks").status_code == 200


def test_grants_of_whoever_left_the_company_are_found_and_taken_back(
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
    refused = program.ask_for_token(
        grant_type="refresh_token", refresh_token=program.token["refresh_token"]
    )
    assert refused.json
    assert refused.json["error"] == "invalid_grant"


def test_clients_are_run_by_admins_only(ada: Person, milo: Person) -> None:
    assert ada.sees("/oauth/clients").status == 200
    assert milo.sees("/oauth/clients").status == 403


def test_admin_makes_a_client_and_sees_its_secret_once(ada: Person) -> None:
    form = ada.sees("/oauth/clients/new").form("redirect_uris")

    answer = ada.sends(form, name="Our flows", redirect_uris=CALLBACK, scope=["tasks:read"])
    shown = ada.sees(answer.location) if answer.location else None
    text = shown.text if shown else answer.text

    assert "Copy the client secret now" in text
    assert "Our flows" in ada.sees("/oauth/clients").links
    again = ada.sees(ada.sees("/oauth/clients").links["Our flows"])
    assert "Copy the client secret now" not in again.text
    assert "Our flows" in again.text
