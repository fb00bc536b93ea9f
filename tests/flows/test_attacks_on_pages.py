"""Attacks on our pages: forged forms, framed pages, names that contain markup."""

from __future__ import annotations

from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.error_assertions import assert_error_page, assert_not_frameable, assert_nothing_stored
from tests.support.pages import Form
from tests.support.storage import row_counts, rows_of


def open_consent(person: Person, program: Program, **changes: str | None) -> Form:
    """Open the consent page; return its form."""
    return person.sees(program.question(**changes)).form("decision")


def token_of(form: Form) -> str:
    token = form.values["consent_token"]
    assert isinstance(token, str)
    return token


def test_a_disconnect_needs_the_users_own_page(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)
    form = bob.sees("/oauth/connected-apps").form_to("/disconnect")
    other_browser = Person(app, "bob").sees("/oauth/connected-apps").form_to("/disconnect")
    consent = token_of(open_consent(bob, program, prompt="consent"))

    with assert_nothing_stored(app):
        for token in ("", "x", other_browser.values["page_token"], consent):
            assert_error_page(bob.sends(form, page_token=token))
        assert bob.opens(form.action).status_code == 405


def test_no_one_can_disconnect_another_persons_app(app: Flask, program: Program, alice: Person, bob: Person) -> None:
    program.connects(bob)
    (grant,) = rows_of(app, "grants")
    program.connects(alice)

    with assert_nothing_stored(app):
        form = alice.sees("/oauth/connected-apps").form_to("/disconnect")
        for grant_id in (grant["id"], "unknown", "%", "é"):
            form.action = f"/oauth/connected-apps/{grant_id}/disconnect"
            assert_error_page(alice.sends(form), 404)


def test_a_page_token_is_not_accepted_as_a_consent_token(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)
    page_token = bob.sees("/oauth/connected-apps").form_to("/disconnect").values["page_token"]
    form = open_consent(bob, program, prompt="consent")

    with assert_nothing_stored(app):
        assert_error_page(bob.sends(form, decision="approve", consent_token=page_token))


def test_admin_forms_need_a_page_token(app: Flask, alice: Person) -> None:
    program = Program.registered(app, "--tenant", "acme")
    path_of_client = f"/automation/clients/{program.client_id}"
    registration = {"name": "N", "redirect_uris": "https://evil.test/", "scope": "tasks:read"}

    with assert_nothing_stored(app):
        for path, values in (
            ("/automation/clients/new", registration),
            (f"{path_of_client}/rotate", {}),
            (f"{path_of_client}/delete", {"confirm": "on"}),
        ):
            assert_error_page(alice.browser.post(path, data=values))
            assert_error_page(alice.browser.post(path, data=values | {"page_token": "x"}))
        (client,) = rows_of(app, "oauth_clients")
    assert client["previous_secret_hash"] is None


def test_account_pages_are_isolated_from_their_opener(app: Flask, alice: Person) -> None:
    program = Program.registered(app, "--tenant", "acme")

    clients = "/automation/clients"
    for path in ("/oauth/connected-apps", clients, f"{clients}/new", f"{clients}/{program.client_id}"):
        headers = alice.opens(path).headers
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path


def test_no_page_of_the_popup_flow_is_isolated_from_its_opener(
    program: Program, bob: Person, stranger: Person
) -> None:
    """Activepieces opens the consent page in a popup, and its redirect page passes the code to the opener."""
    form = open_consent(bob, program)
    responses = [
        stranger.opens(program.question()),
        bob.opens(program.question()),
        bob.opens(program.question(client_id="unknown")),
        bob.sends(form),
        bob.sends(form, decision="approve"),
    ]

    assert [response.status_code for response in responses] == [302, 200, 400, 422, 303]
    for response in responses:
        assert "Cross-Origin-Opener-Policy" not in response.headers


def test_no_page_can_be_framed(app: Flask, alice: Person, carol: Person, stranger: Person) -> None:
    program = Program.registered(app, "--tenant", "acme")
    form = open_consent(alice, program)
    pages = [
        alice.opens(program.question()),
        alice.sends(form, decision="neither"),
        alice.sends(form, consent_token="x"),
        alice.opens(program.question(client_id="unknown")),
        alice.opens("/oauth/authorize?request_id=x"),
        alice.opens("/oauth/connected-apps"),
        alice.opens("/automation/clients"),
        alice.opens("/automation/clients/new"),
        alice.opens(f"/automation/clients/{program.client_id}"),
        alice.opens("/automation/clients/unknown"),
        carol.opens(f"/automation/clients/{program.client_id}"),
        Person(app, "bob").opens("/automation/clients"),
    ]

    for page in pages:
        assert_not_frameable(page)
        assert "style=" not in page.text


def test_the_consent_page_runs_no_script_and_other_pages_only_ours(app: Flask, alice: Person) -> None:
    consent = alice.opens(Program.registered(app).question())

    # Scripts need the permission of script-src or, without one, of default-src.
    assert "default-src 'none'" in consent.headers["Content-Security-Policy"]
    assert "script-src" not in consent.headers["Content-Security-Policy"]
    for path in ("/oauth/connected-apps", "/automation/clients"):
        assert "; script-src 'self'; " in alice.opens(path).headers["Content-Security-Policy"]


MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"


def test_names_and_values_are_escaped(make_app: MakeApp) -> None:
    scopes = {"tasks:read": MARKUP}
    app = make_app(ACTIVEPIECES_SCOPES=scopes)
    alice = Person(app, "alice")
    registration = {"name": MARKUP, "description": MARKUP, "scope": "tasks:read"}
    created = alice.browser.post(
        "/api/integration/activepieces/oauth-clients",
        json=registration | {"redirect_uris": ["https://program.test/callback?'"]},
    ).get_json()
    program = Program(app, created["client_id"], created["client_secret"], "https://program.test/callback?'")

    question = program.question(scope="tasks:read", state=MARKUP)
    pages = [
        alice.opens(question),
        alice.sends(alice.sees(question).form("decision"), decision=MARKUP, workspace=MARKUP),
        alice.opens("/automation/clients"),
        alice.opens(f"/automation/clients/{program.client_id}"),
        alice.opens(program.question(redirect_uri=MARKUP)),
        alice.opens(f"/automation/clients/{MARKUP.replace('/', '')}"),
    ]
    for page in pages:
        assert "<script>" not in page.text
        assert "<img" not in page.text
    assert "&lt;script&gt;" in pages[0].text


def test_a_forged_request_id_redirects_nowhere(app: Flask, stranger: Person) -> None:
    """Only a genuine request id is included in the login URL."""
    for request_id in ("https://evil.test/", "//evil.test", "/\\evil.test", "x\r\nLocation: y", "a&next=b"):
        response = stranger.browser.post("/oauth/authorize", data={"request_id": request_id})
        assert assert_error_page(response)
    assert row_counts(app) == {}
