"""A request that waits for its user to sign in: found again by the same browser, and by no other."""

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
    """Where the login page will send the person back to."""
    response = person.opens(question)
    assert response.status_code == 302
    (path,) = parse_qs(urlsplit(response.location).query)["next"]
    return path


def test_a_stranger_signs_in_and_is_asked_then(program: Program, stranger: Person) -> None:
    back = pending_url(stranger, program.question())

    page = Page(stranger.sign_in("bob", next=back))
    page = stranger.sees(page.response.location)
    code = brought_back(stranger.sends(page.form("decision"), decision="approve"))["code"]

    assert answer_of(program.redeems(code))["token_type"] == "Bearer"


def test_the_waiting_request_is_the_one_that_was_made(program: Program, stranger: Person) -> None:
    back = pending_url(stranger, program.question(scope="tasks:read", state="é+&="))
    stranger.sign_in("bob")

    answer = stranger.answers(back)

    assert answer["state"] == "é+&="
    assert answer_of(program.redeems(answer["code"]))["scope"] == "tasks:read"


def test_the_way_back_is_a_path_of_this_app(program: Program, stranger: Person) -> None:
    back = pending_url(stranger, program.question(state="https://evil.test//"))

    assert back.startswith("/oauth/authorize?request_id=v1.")
    assert not urlsplit(back).netloc


def test_waiting_stores_nothing(app: Flask, program: Program, stranger: Person) -> None:
    with assert_nothing_stored(app):
        pending_url(stranger, program.question())


def test_the_browser_is_named_by_a_cookie_that_scripts_and_other_sites_cannot_use(
    make_app: MakeApp,
) -> None:
    app = make_app(ACTIVEPIECES_PUBLIC_URL="https://app.example.com")

    cookie = Person(app).opens(Program.registered(app).question()).headers["Set-Cookie"]

    assert cookie.startswith("activepieces_browser=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/oauth"):
        assert attribute in cookie.split("; ")


def test_another_browser_cannot_take_the_request_over(
    app: Flask, program: Program, stranger: Person
) -> None:
    back = pending_url(stranger, program.question())
    other, newcomer = Person(app, "bob"), Person(app, "bob")
    other.opens(program.question())  # it has a name of its own

    with assert_nothing_stored(app):
        assert "another browser" in assert_error_page(other.opens(back)).text
        assert_error_page(newcomer.opens(back))


def test_a_request_waits_for_half_an_hour(
    program: Program, stranger: Person, clock: StoppedClock
) -> None:
    back = pending_url(stranger, program.question())
    stranger.sign_in("bob")

    clock.advance(30 * 60 - 1)
    assert stranger.opens(back).status_code == 200
    clock.advance(1)
    assert "expired" in assert_error_page(stranger.opens(back)).text


def test_a_page_left_open_for_too_long_cannot_be_answered(
    app: Flask, program: Program, bob: Person, clock: StoppedClock
) -> None:
    form = bob.sees(program.question()).form("decision")
    clock.advance(30 * 60)

    with assert_nothing_stored(app):
        assert_error_page(bob.sends(form, decision="approve"))


def test_a_forged_request_is_told_on_a_page(app: Flask, program: Program, bob: Person) -> None:
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
            assert_error_page(
                bob.browser.get("/oauth/authorize", query_string={"request_id": request_id})
            )


@pytest.mark.parametrize("change", ["deleted", "another redirect URI", "fewer scopes"])
def test_what_was_changed_while_the_request_waited_counts(
    app: Flask, alice: Person, change: str
) -> None:
    program = Program.registered(app, "--tenant", "acme")
    form = alice.sees(program.question()).form("decision")
    own = f"/api/integration/activepieces/oauth-clients/{program.client_id}"

    if change == "deleted":
        assert alice.browser.delete(own).status_code == 204
    elif change == "another redirect URI":
        answer_of(alice.browser.patch(own, json={"redirect_uris": ["https://program.test/new"]}))
    else:
        answer_of(alice.browser.patch(own, json={"scope": "profile:read"}))
    response = alice.sends(form, decision="approve")

    if change == "fewer scopes":
        answer = brought_back(response)
        assert answer.get("error") == "invalid_scope", "a code was made for a scope taken away"
        assert response.location.startswith(CALLBACK)
    else:
        assert_error_page(response)


def test_a_session_that_ended_while_the_page_was_open_loses_nothing(
    app: Flask, program: Program, bob: Person
) -> None:
    form = bob.sees(program.question()).form("decision")
    bob.opens("/logout")

    with assert_nothing_stored(app):
        response = bob.sends(form, decision="approve")
    (back,) = parse_qs(urlsplit(response.location).query)["next"]
    bob.sign_in("bob")

    assert response.status_code == 302
    assert "code" in bob.answers(back)


def test_under_a_path_prefix_the_way_back_has_it_too(program: Program, stranger: Person) -> None:
    response = stranger.browser.get(program.question(), base_url="http://localhost/tools")

    (back,) = parse_qs(urlsplit(response.location).query)["next"]
    assert back.startswith("/tools/oauth/authorize?request_id=")
    assert "Path=/tools/oauth" in response.headers["Set-Cookie"].split("; ")
