"""With Flask-Babel and a complete catalogue, every message on our pages is translated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from flask import Flask
from flask_babel import Babel
from werkzeug.test import TestResponse

import flask_activepieces
from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program
from tests.support.pages import Page
from tests.support.storage import database_away
from tests.support.translations import write_catalog

PACKAGE = Path(flask_activepieces.__path__[0])
EXTRACTION_METHODS = [("**/templates/flask_activepieces/**.html", "jinja2"), ("**.py", "python")]
LIST = "/automation/clients"


@pytest.fixture(scope="module")
def translations(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A catalogue in which every translation is the message in angle quotes."""
    catalogue = Catalog(locale="de")
    keywords = {"ap_text": None, "Message": None}
    for part in ("oauth", "web", "templates"):
        for _, _, message, _, _ in extract_from_dir(PACKAGE / part, EXTRACTION_METHODS, keywords=keywords):
            assert isinstance(message, str)
            catalogue.add(message, f"«{message}»")
    return write_catalog(tmp_path_factory.mktemp("translations"), catalogue)


@pytest.fixture
def app(make_app: MakeApp, translations: str) -> Flask:
    app = make_app(BABEL_TRANSLATION_DIRECTORIES=translations)
    Babel(app, locale_selector=lambda: "de")
    return app


def open_authorization(person: Person, program: Program, **changes: str) -> TestResponse:
    return person.opens(program.question(**changes))


#: A part of each error message, and the request that causes it.
ERRORS: dict[str, Callable[[Person, Program], TestResponse]] = {
    "«The app that sent you here is not registered.»": lambda bob, program: open_authorization(
        bob, program, client_id="unknown"
    ),
    "did not say where to send you afterwards.»": lambda bob, program: open_authorization(
        bob, program, redirect_uri=""
    ),
    "«Tell the app's developers that the state can have at most 2000 characters.»": lambda bob, program: (
        open_authorization(bob, program, state="s" * 2001)
    ),
    "asked to send you to an address that is not registered for it.»": lambda bob, program: open_authorization(
        bob, program, redirect_uri="https://evil.test/"
    ),
    "«The app that sent you here made an invalid request.»": lambda bob, program: bob.opens(
        program.question() + "&scope=again"
    ),
    "«Your account does not have access to this page.»": lambda bob, program: bob.opens(LIST),
    "«This page is out of date»": lambda bob, program: bob.opens("/oauth/authorize?request_id=x"),
    "«Not found»": lambda _, program: Person(program.app, "alice").opens(LIST + "/unknown"),
}


@pytest.mark.parametrize("message", ERRORS)
def test_error_pages_are_translated(app: Flask, message: str) -> None:
    program = Program.registered(app, "--redirect-uri", CALLBACK, "--redirect-uri", CALLBACK + "2")

    page = Page(ERRORS[message](Person(app, "bob"), program))

    assert message in page.text


def test_the_page_about_a_database_outage_is_translated(app: Flask) -> None:
    alice = Person(app, "alice")

    with database_away(app):
        page = alice.sees(LIST)

    assert "«Just a moment»" in page.text
    assert "«The database is currently unavailable.»" in page.text


def test_form_errors_are_translated(app: Flask) -> None:
    alice = Person(app, "alice")
    form = alice.sees(LIST + "/new").form("redirect_uris")

    page = Page(alice.sends(form, name="n" * 121, redirect_uris="http://maker.test/", scope=["everything"]))

    for message in (
        "«At most 120 characters.»",
        "«must use https; plain http is for loopback only.»",
        "«Unknown scope 'everything'. Available scopes: profile:read, tasks:read",
    ):
        assert message in page.text


def test_the_error_about_an_invalid_decision_is_translated(app: Flask) -> None:
    bob = Person(app, "bob")
    form = bob.sees(Program.registered(app).question()).form("decision")

    page = Page(bob.sends(form, decision="invalid"))

    assert "«Choose Approve or Deny.»" in page.text
