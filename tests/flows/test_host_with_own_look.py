"""A host that changes all it can: a brand, prefixes, one block, one template, and two pages that are switched off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from flask_babel import Babel

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.hosts import SmallHost
from tests.support.pages import Page

BRAND: dict[str, Any] = {
    "ACTIVEPIECES_APP_NAME": "Tasklane",
    "ACTIVEPIECES_APP_LOGO": "/static/tasklane.svg",
    "ACTIVEPIECES_APP_URL": "/dashboard",
    "ACTIVEPIECES_SUPPORT": "help@tasklane.example",
    "ACTIVEPIECES_ACCENT": "#7a3e9d",
    "ACTIVEPIECES_ACCENT_DARK": "#d3a6f0",
    "ACTIVEPIECES_COLOR_SCHEME": "dark",
}
OWN_PATHS: dict[str, Any] = {
    "ACTIVEPIECES_OAUTH_PREFIX": "/connect",
    "ACTIVEPIECES_AUTOMATION_PREFIX": "/robots",
    "ACTIVEPIECES_DISABLED_PAGES": ["deliveries", "audit"],
}
ONE_BLOCK = """{% extends "original/flask_activepieces/consent.html" %}
{% block consent_later %}<p>Read our terms before you approve.</p>{% endblock %}"""
ONE_TEMPLATE = """{% extends "flask_activepieces/base.html" %}
{% block title %}Oops{% endblock %}
{% block content %}<h1>Our own words</h1><p>{{ message }}</p>{% endblock %}"""


class HostWithSignOut(SmallHost):
    """The small host, which can end a session."""

    def sign_out(self) -> None:
        session.clear()


@pytest.fixture
def languages() -> list[str]:
    """The languages of the pages: a test that takes this list may add one."""
    return []


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path, languages: list[str]) -> Flask:
    folder = tmp_path / "templates" / "flask_activepieces"
    folder.mkdir(parents=True)
    (folder / "consent.html").write_text(ONE_BLOCK, "utf-8")
    (folder / "error.html").write_text(ONE_TEMPLATE, "utf-8")

    def use_templates(app: Flask) -> None:
        app.root_path, app.template_folder = str(tmp_path), "templates"
        Babel(app, locale_selector=lambda: "en" if not languages else languages[-1])

    return make_app(first=use_templates, host=HostWithSignOut(), **BRAND, **OWN_PATHS)


def question(program: Program) -> str:
    return program.question().replace("/oauth/", "/connect/")


def assert_branded(page: Page) -> None:
    """The header leads home, the tab has name and icon, and the style sheet is that of the app."""
    images = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    links = {str(attributes["rel"]): attributes["href"] for tag, attributes in page.tags if tag == "link"}
    assert images[0] == "/static/tasklane.svg", page.text
    assert page.links["Tasklane"] == "/dashboard"
    assert links["icon"] == "/static/tasklane.svg"
    assert "Tasklane</title>" in page.response.text


def test_a_user_goes_all_the_way_through_the_apps_own_pages(app: Flask) -> None:
    program, bob = Program.registered(app), Person(app, "bob")

    consent = bob.sees(question(program))
    form = consent.form("decision")
    code = brought_back(bob.sends(form, decision="approve"))["code"]
    tokens = answer_of(program.posts("/connect/token", code_form(program, code)))
    connected = bob.sees("/connect/connected-apps")
    button = connected.form_to("/disconnect")
    after = bob.sees(bob.sends(button).location)

    assert "Program wants to access your Tasklane account" in consent.text
    assert "Registered by Tasklane" in consent.text
    assert "Read our terms before you approve." in consent.text
    assert "You can revoke access at any time" not in consent.text
    assert (form.action, button.action.startswith("/connect/connected-apps/")) == ("/connect/authorize", True)
    assert "The app was disconnected." in after.text
    assert program.calls(tokens["access_token"]).status_code == 401
    for page in (consent, connected, after):
        assert_branded(page)


def code_form(program: Program, code: str) -> dict[str, str | None]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": program.redirect_uri,
        "code_verifier": program.verifier,
    }


def test_the_account_is_switched_on_the_apps_own_paths(app: Flask) -> None:
    program, person = Program.registered(app), Person(app, "bob")

    location = person.sends(person.sees(question(program)).form("decision"), decision="switch").location
    request_url = location.removeprefix("/login?next=")

    assert request_url.startswith("%2Fconnect%2Fauthorize%3Frequest_id%3D")
    assert "Signed in as Carol" in person.sees(f"{location}&as=carol").text


def test_an_error_has_the_apps_own_template(app: Flask) -> None:
    page = Person(app, "bob").sees("/connect/authorize?client_id=unknown")

    assert page.status == 400
    assert "Our own words" in page.text
    assert "If you cannot continue, ask for help" not in page.text
    assert_branded(page)


def test_the_pages_for_tokens_are_branded(app: Flask) -> None:
    bob = Person(app, "bob")

    form_page = bob.sees("/connect/personal-tokens/new")
    made = bob.sends(form_page.form("name"), name="Export", scope=["tasks:read"])

    assert_branded(form_page)
    assert "Copy the token now" in bob.sees(made.location).text


def test_the_automation_area_has_the_brand_and_not_the_pages_that_are_off(app: Flask) -> None:
    alice = Person(app, "alice")

    clients = alice.sees("/robots/clients")

    assert_branded(clients)
    assert clients.links["help@tasklane.example"] == "mailto:help@tasklane.example"
    assert "/robots/setup" in clients.links.values()
    for page in ("deliveries", "audit"):
        assert f"/robots/{page}" not in clients.links.values()
        assert alice.opens(f"/robots/{page}").status_code == 404
    assert alice.opens("/automation/clients").status_code == 404


@pytest.mark.parametrize("path", ["/robots", "/robots/setup", "/robots/clients/new", "/robots/clients/unknown"])
def test_every_page_of_the_area_is_branded(app: Flask, path: str) -> None:
    assert_branded(Person(app, "alice").sees(path))


def test_the_style_sheet_has_the_colors_of_the_app(app: Flask) -> None:
    with app.test_client().get("/connect/static/activepieces.css") as response:
        rules = response.get_data(as_text=True)

    assert rules.count("color-scheme: dark;") == 1
    assert "--ap-accent: light-dark(#7a3e9d, #d3a6f0);" in rules


def test_an_app_without_a_logo_has_no_broken_icon(make_app: MakeApp) -> None:
    page = Person(make_app(), "bob").sees("/oauth/connected-apps")

    assert '<link rel="icon" href="data:,">' in page.response.text


def test_a_second_language_is_on_every_page_beside_the_apps_own_words(app: Flask, languages: list[str]) -> None:
    program, alice = Program.registered(app), Person(app, "alice")
    languages.append("de")

    consent = alice.sees(question(program))
    clients = alice.sees("/robots/clients")

    assert "Program möchte auf Ihr Tasklane-Konto zugreifen" in consent.text
    assert "Read our terms before you approve." in consent.text
    assert clients.links["Einstellungen"] == "/robots/setup"
    for page in (consent, clients):
        assert_branded(page)
        assert ("html", "de") in [(tag, attributes.get("lang")) for tag, attributes in page.tags]
