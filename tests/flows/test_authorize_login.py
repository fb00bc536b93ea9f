"""A request pending during login: only the same browser can continue it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of, brought_back
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_error_page, assert_nothing_stored
from tests.support.pages import Page


def pending_url(person: Person, question: str) -> str:
    """Open the authorization URL signed out; return the path to continue at after login."""
    response = person.opens(question)
    assert response.status_code == 302
    (path,) = parse_qs(urlsplit(response.location).query)["next"]
    return path


def test_an_anonymous_user_signs_in_and_then_sees_the_consent_page(program: Program, stranger: Person) -> None:
    next_url = pending_url(stranger, program.question())

    page = Page(stranger.sign_in("bob", next=next_url))
    page = stranger.sees(page.response.location)
    code = brought_back(stranger.sends(page.form("decision"), decision="approve"))["code"]

    assert answer_of(program.redeems(code))["token_type"] == "Bearer"


def test_the_pending_request_keeps_its_parameters(program: Program, stranger: Person) -> None:
    next_url = pending_url(stranger, program.question(scope="tasks:read", state="é+&="))
    stranger.sign_in("bob")

    answer = stranger.answers(next_url)

    assert answer["state"] == "é+&="
    assert answer_of(program.redeems(answer["code"]))["scope"] == "tasks:read"


def test_the_next_url_is_a_path_of_this_app(program: Program, stranger: Person) -> None:
    next_url = pending_url(stranger, program.question(state="https://evil.test//"))

    assert next_url.startswith("/oauth/authorize?request_id=v1.")
    assert not urlsplit(next_url).netloc


def test_a_pending_request_stores_nothing(app: Flask, program: Program, stranger: Person) -> None:
    with assert_nothing_stored(app):
        pending_url(stranger, program.question())


def test_the_browser_cookie_is_unavailable_to_scripts_and_other_sites(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_PUBLIC_URL="https://app.example.com")

    cookie = Person(app).opens(Program.registered(app).question()).headers["Set-Cookie"]

    assert cookie.startswith("activepieces_browser=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/oauth"):
        assert attribute in cookie.split("; ")


def test_another_browser_cannot_take_over_the_request(app: Flask, program: Program, stranger: Person) -> None:
    next_url = pending_url(stranger, program.question())
    other, newcomer = Person(app, "bob"), Person(app, "bob")
    other.opens(program.question())  # this browser now has its own cookie

    with assert_nothing_stored(app):
        assert "another browser" in assert_error_page(other.opens(next_url)).text
        assert_error_page(newcomer.opens(next_url))


def test_a_pending_request_expires_after_half_an_hour(
    program: Program, stranger: Person, clock: StoppedClock
) -> None:
    next_url = pending_url(stranger, program.question())
    stranger.sign_in("bob")

    clock.advance(30 * 60 - 1)
    assert stranger.opens(next_url).status_code == 200
    clock.advance(1)
    assert "expired" in assert_error_page(stranger.opens(next_url)).text


def test_a_page_left_open_for_too_long_cannot_be_answered(
    app: Flask, program: Program, bob: Person, clock: StoppedClock
) -> None:
    form = bob.sees(program.question()).form("decision")
    clock.advance(30 * 60)

    with assert_nothing_stored(app):
        assert_error_page(bob.sends(form, decision="approve"))


def test_a_forged_request_is_reported_on_a_page(app: Flask, program: Program, bob: Person) -> None:
    genuine = bob.sees(program.question()).form("decision").values["request_id"]
    version, payload, signature = genuine.split(".")
    forged = [
        f"{version}.{payload}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        f"{version}.{payload[:-1]}.{signature}",
        f"v2.{payload}.{signature}",
        f"{version}.{payload}.",
        f"{version}.{payload}",
        f"{genuine}.{signature}",
        f"{genuine} ",
        "é.é.é",
        "v1..",
        "..",
        "",
        "https://evil.test/",
        "//evil.test",
    ]

    with assert_nothing_stored(app):
        for request_id in forged:
            assert_error_page(bob.browser.get("/oauth/authorize", query_string={"request_id": request_id}))


@pytest.mark.parametrize("change", ["deleted", "another redirect URI", "fewer scopes"])
def test_changes_to_the_client_apply_to_pending_requests(app: Flask, alice: Person, change: str) -> None:
    program = Program.registered(app, "--tenant", "acme")
    form = alice.sees(program.question()).form("decision")
    path = f"/api/integration/activepieces/oauth-clients/{program.client_id}"

    if change == "deleted":
        assert alice.browser.delete(path).status_code == 204
    elif change == "another redirect URI":
        answer_of(alice.browser.patch(path, json={"redirect_uris": ["https://program.test/new"]}))
    else:
        answer_of(alice.browser.patch(path, json={"scope": "profile:read"}))
    response = alice.sends(form, decision="approve")

    if change == "fewer scopes":
        answer = brought_back(response)
        assert answer.get("error") == "invalid_scope", "a code was issued for a removed scope"
        assert response.location.startswith(CALLBACK)
    else:
        assert_error_page(response)


def test_a_request_continues_after_the_session_ended_on_the_open_page(
    app: Flask, program: Program, bob: Person
) -> None:
    form = bob.sees(program.question()).form("decision")
    bob.opens("/logout")

    with assert_nothing_stored(app):
        response = bob.sends(form, decision="approve")
    (next_url,) = parse_qs(urlsplit(response.location).query)["next"]
    bob.sign_in("bob")

    assert response.status_code == 302
    assert "code" in bob.answers(next_url)


def test_under_a_path_prefix_the_next_url_includes_it(program: Program, stranger: Person) -> None:
    response = stranger.browser.get(program.question(), base_url="http://localhost/tools")

    (next_url,) = parse_qs(urlsplit(response.location).query)["next"]
    assert next_url.startswith("/tools/oauth/authorize?request_id=")
    assert "Path=/tools/oauth" in response.headers["Set-Cookie"].split("; ")
