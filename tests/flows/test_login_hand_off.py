"""The login page of the app can say for which client its user signs in."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.storage import database_away


def login_page(browser: FlaskClient, question: str) -> str:
    """The login page of an app that names the client."""
    return browser.get(browser.get(question).location).text


def app_with_login_page(make_app: MakeApp, **options: object) -> Flask:
    """The login page shows the client; the small host's own, which signs in at once, moves."""
    app = make_app(**options)
    app.add_url_rule("/sign-in", "sign_in", app.view_functions["login"])
    app.view_functions["login"] = lambda: app.jinja_env.from_string("for {{ activepieces_sign_in_for() }}").render()
    return app


def test_the_login_page_can_say_for_which_client_a_user_signs_in(make_app: MakeApp) -> None:
    app = app_with_login_page(make_app)
    program, long = Program.registered(app), Program.registered(app, "--name", "N" * 100)

    assert login_page(app.test_client(), program.question()) == "for Program"
    assert login_page(app.test_client(), long.question()) == f"for {'N' * 59}…"


def test_the_login_page_names_no_client_without_a_genuine_request(make_app: MakeApp, clock: StoppedClock) -> None:
    app = app_with_login_page(make_app)
    program = Program.registered(app)
    location = app.test_client().get(program.question()).location
    browser = app.test_client()

    for target in ("/", "//[", "/oauth/connected-apps", "/oauth/authorize", "/oauth/authorize?request_id=x", "é"):
        assert browser.get("/login", query_string={"next": target}).text == "for None", target
    assert browser.get("/login").text == "for None"
    assert browser.get(location[:-1] + ("A" if location[-1] != "A" else "B")).text == "for None"
    clock.now += 30 * 60
    assert browser.get(location).text == "for None"


def test_a_deleted_client_is_not_named(make_app: MakeApp) -> None:
    app = app_with_login_page(make_app)
    program = Program.registered(app)
    location = app.test_client().get(program.question()).location

    app.test_cli_runner().invoke(args=["activepieces", "client", "delete", program.client_id, "--yes"])

    assert app.test_client().get(location).text == "for None"


def test_a_client_that_registered_itself_is_not_named(make_app: MakeApp) -> None:
    """Its name is its own choice, and the page asks for a password."""
    app = app_with_login_page(make_app, ACTIVEPIECES_MCP=True, ACTIVEPIECES_DYNAMIC_REGISTRATION=True)
    metadata = {"client_name": "Tasklane", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    made = answer_of(app.test_client().post("/oauth/register", json=metadata), 201)
    bob = Person(app)
    bob.browser.get("/sign-in?as=bob")
    form = bob.sees(Program(app, made["client_id"], None).question()).form("decision")
    bob.opens("/logout")

    login = bob.sends(form, decision="approve").location

    assert "request_id" in login
    assert bob.opens(login).text == "for None"


def test_the_login_page_works_without_the_database(make_app: MakeApp) -> None:
    app = app_with_login_page(make_app)
    location = app.test_client().get(Program.registered(app).question()).location

    with database_away(app):
        assert app.test_client().get(location).text == "for None"
