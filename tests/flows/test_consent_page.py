"""What the consent page tells users, so that they know what they approve, for whom, and with which account."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, session

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, brought_back
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_error_page, assert_nothing_stored
from tests.support.hosts import ALL_SCOPES, SmallHost
from tests.support.storage import row_counts

SCOPES: dict[str, Any] = {
    "profile:read": {"description": "See your name", "required": True},
    "tasks:read": {"description": "See tasks", "details": "Also those that are done"},
    "tasks:write": "Change tasks",
    "tasks:delete": "Remove tasks",
}


@pytest.mark.parametrize(
    ("name", "question"),
    [("Tasklane", "Program wants to access your Tasklane account"), (None, "Program wants to access your account")],
)
def test_the_page_says_which_app_wants_to_access_which(make_app: MakeApp, name: str | None, question: str) -> None:
    app = make_app(ACTIVEPIECES_APP_NAME=name)

    assert question in Person(app, "bob").sees(Program.registered(app).question()).text


def test_a_long_name_does_not_fill_the_page(app: Flask, bob: Person) -> None:
    name, description = "N" * 100, "word " * 100
    program = Program.registered(app, "--name", name, "--description", description)

    text = bob.sees(program.question()).text

    assert "N" * 59 + "…" in text
    assert "N" * 60 not in text
    assert description.strip() not in text


def test_the_page_says_who_registered_the_client_and_when(
    app: Flask, make_app: MakeApp, clock: StoppedClock, alice: Person
) -> None:
    own, shared = Program.registered(app, "--tenant", "acme"), Program.registered(app)
    clock.now += 3 * 86_400

    assert "Registered by an administrator of your workspace · 3 days ago" in alice.sees(own.question()).text
    assert "Registered by the people who run this app · 3 days ago" in alice.sees(shared.question()).text


def test_scopes_are_grouped_by_what_they_allow(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_SCOPES=SCOPES)
    program = Program.registered(app, scope=" ".join(SCOPES))

    page = Person(app, "bob").sees(program.question(scope=" ".join(reversed(SCOPES))))

    assert "View See tasks Also those that are done See your name" in page.text
    assert "Create and change Change tasks Delete Remove tasks" in page.text


def test_the_kind_of_a_scope_can_be_configured(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_SCOPES={"tasks:archive": {"description": "Archive tasks", "kind": "delete"}})
    program = Program.registered(app, scope="tasks:archive")

    page = Person(app, "bob").sees(program.question(scope="tasks:archive"))

    assert "Delete Archive tasks" in page.text


def test_customize_is_offered_only_if_something_is_optional(program: Program, bob: Person) -> None:
    assert "Customize" not in bob.sees(program.question(scope="profile:read")).text
    assert "Customize" in bob.sees(program.question(scope=ALL_SCOPES)).text


class HostWithSignOut(SmallHost):
    """The small host, which can end a session."""

    def sign_out(self) -> None:
        session.clear()


def test_a_user_can_switch_the_account(make_app: MakeApp) -> None:
    app = make_app(host=HostWithSignOut())
    program, browser = Program.registered(app), Person(app, "bob")

    login = urlsplit(browser.sends(browser.sees(program.question()).form("decision"), decision="switch").location)
    (request,) = parse_qs(login.query)["next"]
    page = browser.sees(browser.sign_in("carol", next=request).location)

    assert login.path == "/login"

    assert "Signed in as Carol" in page.text
    assert brought_back(browser.sends(page.form("decision"), decision="approve"))["code"]
    assert row_counts(app)["grants"] == 1


def test_a_host_that_cannot_sign_out_offers_no_switch(app: Flask, program: Program, bob: Person) -> None:
    page = bob.sees(program.question())

    assert "Switch account" not in page.text
    with assert_nothing_stored(app):
        assert bob.sends(page.form("decision"), decision="switch").status_code == 422


def test_no_other_site_can_sign_a_user_out(make_app: MakeApp) -> None:
    app = make_app(host=HostWithSignOut())
    program, bob = Program.registered(app), Person(app, "bob")
    form = bob.sees(program.question()).form("decision")

    assert_error_page(bob.sends(form, decision="switch", consent_token="x"))

    assert bob.opens("/oauth/connected-apps").status_code == 200
