"""The logo of an OAuth client on the pages for users."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.error_assertions import assert_nothing_stored
from tests.support.pages import Page
from tests.support.problems import problem

LOGO = "https://cdn.program.test/logo.svg"
CLIENTS = "/api/integration/activepieces/oauth-clients"
CLIENT = {"name": "Flows", "redirect_uris": [CALLBACK], "scope": "tasks:read"}


def images(page: Page) -> list[str | None]:
    return [attributes["src"] for tag, attributes in page.tags if tag == "img"]


def image_policy(page: Page) -> str:
    """The directive of the content security policy."""
    policy = page.response.headers["Content-Security-Policy"]
    (directive,) = [part.strip() for part in policy.split(";") if part.strip().startswith("img-src")]
    return directive


def test_the_pages_show_the_logo_of_a_client(app: Flask, bob: Person) -> None:
    program = Program.registered(app, "--logo", LOGO)

    consent = bob.sees(program.question())
    bob.answers(program.question())
    connected = bob.sees("/oauth/connected-apps")

    for page in (consent, connected):
        assert images(page) == [LOGO]
        assert image_policy(page) == "img-src 'self' data: https://cdn.program.test"
        (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
        assert (image["alt"], image["referrerpolicy"]) == ("", "no-referrer")


def test_without_a_logo_no_other_server_is_asked(program: Program, bob: Person) -> None:
    page = bob.sees(program.question())

    assert images(page) == []
    assert image_policy(page) == "img-src 'self' data:"


def test_both_logos_are_shown(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_APP_NAME="Tasklane", ACTIVEPIECES_APP_LOGO="https://static.tasklane.example/logo.svg")

    page = Person(app, "bob").sees(Program.registered(app, "--logo", LOGO).question())

    assert images(page)[1:] == [LOGO, "https://static.tasklane.example/logo.svg"]
    assert image_policy(page) == "img-src 'self' data: https://static.tasklane.example https://cdn.program.test"


def test_an_admin_sets_changes_and_removes_the_logo(alice: Person) -> None:
    client = answer_of(alice.browser.post(CLIENTS, json=CLIENT | {"logo_uri": LOGO}), 201)
    path = f"{CLIENTS}/{client['client_id']}"

    renamed = answer_of(alice.browser.patch(path, json={"name": "More flows"}))
    changed = answer_of(alice.browser.patch(path, json={"logo_uri": LOGO + "?2"}))
    removed = answer_of(alice.browser.patch(path, json={"logo_uri": ""}))

    assert [each["logo_uri"] for each in (client, renamed, changed, removed)] == [LOGO, LOGO, LOGO + "?2", None]


def test_the_form_of_the_automation_area_has_the_logo(app: Flask, alice: Person) -> None:
    program = Program.registered(app, "--tenant", "acme", "--logo", LOGO)

    form = alice.sees(f"/automation/clients/{program.client_id}/edit").form("redirect_uris")
    saved = alice.sends(form, logo_uri=LOGO + "?2")

    assert form.values["logo_uri"] == LOGO
    assert saved.status_code == 303
    assert images(alice.sees(program.question())) == [LOGO + "?2"]


@pytest.mark.parametrize(
    "logo",
    [
        "http://cdn.program.test/logo.svg",
        "http://127.0.0.1/logo.svg",
        "//cdn.program.test/logo.svg",
        "/static/logo.svg",
        "javascript:alert(1)",
        "data:image/svg+xml,x",
        "https://",
        "https:///logo.svg",
        "https://user@cdn.program.test/logo.svg",
        "https://cdn.program.test;script-src/logo.svg",
        "https://cdn.program.test,*/logo.svg",
        "https://*/logo.svg",
        "https://*.program.test/logo.svg",
        "https://cdn.program.test:x/logo.svg",
        "https://cdn.program.test/a logo.svg",
        "https://cdn.program.test/logo.svg\nX: y",
        "https://cdn.program.test/logo.svg#fragment",
        'https://cdn.program.test/"onerror="alert(1)',
        "https://cdn.program.test/" + "x" * 2000,
    ],
)
def test_an_address_that_is_no_https_url_is_refused(app: Flask, alice: Person, logo: str) -> None:
    """Its host becomes a part of the page's content security policy."""
    with assert_nothing_stored(app):
        response = alice.browser.post(CLIENTS, json=CLIENT | {"logo_uri": logo})

    assert problem(response, 422, "Invalid input")["fields"] == {"logo_uri": "Must be an https URL."}


def test_the_command_line_names_its_option(app: Flask) -> None:
    result = app.test_cli_runner().invoke(
        args=["activepieces", "client", "create", "--name", "Flows", "--redirect-uri", CALLBACK]
        + ["--scope", "tasks:read", "--logo", "logo.svg"]
    )

    assert result.exit_code != 0
    assert "--logo: Must be an https URL." in result.output


def test_a_client_that_registered_itself_has_no_logo(make_app: MakeApp) -> None:
    """No one vouches for it, and a logo is easily borrowed."""
    app = make_app(ACTIVEPIECES_MCP=True, ACTIVEPIECES_DYNAMIC_REGISTRATION=True)
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "logo_uri": LOGO}
    made = answer_of(app.test_client().post("/oauth/register", json=metadata), 201)

    page = Person(app, "bob").sees(Program(app, made["client_id"], None).question())

    assert images(page) == []
    assert image_policy(page) == "img-src 'self' data:"
