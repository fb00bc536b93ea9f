"""Requests that are too long, too deeply nested or of a false length are refused quickly."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask

from tests.support.actors import CALLBACK, Person, Program
from tests.support.error_assertions import assert_error_page, assert_nothing_stored, assert_oauth_error

MEBIBYTE = 1 << 20
FORM = "application/x-www-form-urlencoded"
CLIENT_ENDPOINTS = ["token", "revoke", "introspect"]
API = "/api/integration/activepieces/oauth-clients"


@contextmanager
def assert_quick_and_nothing_stored(app: Flask) -> Iterator[None]:
    """In no more CPU time than a loop of a hundred million additions, and without a new row."""
    started = time.process_time()
    sum(range(1_000_000))
    before = time.process_time()
    with assert_nothing_stored(app):
        yield
    assert time.process_time() - before < 100 * (before - started)


def test_a_body_of_a_mebibyte_is_not_read(app: Flask, program: Program) -> None:
    body = urlencode({"client_id": program.client_id, "token": "A" * MEBIBYTE})

    with assert_quick_and_nothing_stored(app):
        for path in CLIENT_ENDPOINTS:
            response = app.test_client().post(f"/oauth/{path}", data=body, content_type=FORM)
            assert_oauth_error(response, 413, "invalid_request")


def test_a_body_without_a_length_is_refused_at_the_limit(app: Flask) -> None:
    """Refused, not truncated and then processed."""
    with assert_quick_and_nothing_stored(app):
        for path in CLIENT_ENDPOINTS:
            endless = io.BytesIO(b"client_id=" + b"A" * 20 * MEBIBYTE)
            response = app.test_client().post(
                f"/oauth/{path}",
                input_stream=endless,
                content_type=FORM,
                headers={"Transfer-Encoding": "chunked"},
                environ_overrides={"wsgi.input_terminated": True},
            )
            assert_oauth_error(response, 413, "invalid_request")
            assert endless.tell() < MEBIBYTE


def test_a_false_content_length_is_refused(app: Flask, program: Program) -> None:
    form = {"client_id": program.client_id, "client_secret": program.client_secret, "token": "x"}

    with assert_quick_and_nothing_stored(app):
        for length in ("-1", "x", "99999999999999999999", "10", "0", ""):
            response = app.test_client().post(
                "/oauth/introspect",
                input_stream=io.BytesIO(urlencode(form).encode()),
                content_type=FORM,
                environ_overrides={"CONTENT_LENGTH": length},
            )
            assert response.status_code in (400, 401, 413), length
            assert response.get_json()["error"] in ("invalid_request", "invalid_client")


def test_ten_thousand_parameters_are_refused_at_the_client_endpoints(app: Flask) -> None:
    names = [f"{number:x}=" for number in range(10_000)]

    with assert_quick_and_nothing_stored(app):
        for path in CLIENT_ENDPOINTS:
            for body in ("&".join(names), "&" * 60_000, "a&" * 30_000, "a=b=" * 15_000):
                response = app.test_client().post(f"/oauth/{path}", data=body, content_type=FORM)
                assert response.status_code in (400, 401, 413)


def test_ten_thousand_parameters_at_the_authorization_endpoint(app: Flask, program: Program, bob: Person) -> None:
    parameters = "&".join(f"p{number}=" for number in range(10_000))

    with assert_quick_and_nothing_stored(app):
        assert bob.opens(f"{program.question()}&{parameters}").status_code == 200
        assert_error_page(bob.opens(f"/oauth/authorize?{parameters}"))
        assert_error_page(bob.opens(f"{program.question()}&{'x=&' * 10_000}"))


NAMES = ["client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"]
NAMES += ["code_challenge", "code_challenge_method", "prompt", "resource", "request", "request_id"]


def test_a_mebibyte_in_one_parameter_is_neither_stored_nor_passed_on(
    app: Flask, program: Program, bob: Person
) -> None:
    anonymous = Person(app)

    for name in NAMES:
        question = program.question(**({} if name == "request_id" else {name: None}))
        with assert_quick_and_nothing_stored(app):
            for person in (bob, anonymous):
                response = person.opens(f"{question}&{name}={'A' * MEBIBYTE}")
                if response.location is None and (person is not bob or name not in ("prompt", "request_id")):
                    assert_error_page(response)
                assert len(response.location or "") < 8192
                assert len(response.data) < 16_384


def test_a_state_of_2000_characters_is_the_longest(app: Flask, program: Program, bob: Person) -> None:
    longest = "s" * 2000

    assert bob.answers(program.question(state=longest))["state"] == longest
    with assert_quick_and_nothing_stored(app):
        assert_error_page(bob.opens(program.question(state=longest + "s")))


#: The longest request line that gunicorn accepts by default; nginx and Apache accept 8,190 and more.
LONGEST_LINE = 4094


@pytest.mark.parametrize("character", ["s", "é", "\U0001f600", '"', "%"])
@pytest.mark.parametrize("path", ["", "/callback" + "a" * 1900])
def test_no_redirect_has_a_url_too_long_for_a_server(app: Flask, stranger: Person, character: str, path: str) -> None:
    """The request grows on its way through the login page, where a longer one would end in a 414."""
    program = Program.registered(app, redirect_uri=f"https://program.test{path}")
    refusals = 0

    for length in range(0, 2001, 125):
        response = stranger.opens(program.question(state=character * length))
        if response.location is None:
            refusals += 1
            assert "Tell the app's developers" in assert_error_page(response).text
            continue
        after_login = stranger.sign_in("bob", next=parse_qs(urlsplit(response.location).query)["next"][0])
        stranger.opens("/logout")
        for location in (response.location, after_login.location):
            assert len(f"GET {location} HTTP/1.1\r\n") <= LONGEST_LINE, length

    assert refusals < 17, "a request without a state is short enough"


def test_an_authorization_header_of_a_mebibyte_is_refused(app: Flask) -> None:
    form = {"grant_type": "client_credentials", "token": "x"}

    for scheme in ("Basic", "Bearer", "Digest", "A" * 1000):
        headers = {"Authorization": f"{scheme} {'QTpC' * (MEBIBYTE // 4)}"}
        with assert_quick_and_nothing_stored(app):
            for path in CLIENT_ENDPOINTS:
                response = app.test_client().post(f"/oauth/{path}", data=form, headers=headers)
                assert_oauth_error(response, 401, "invalid_client")
            assert app.test_client().get("/api/whoami", headers=headers).status_code == 401


def test_a_consent_form_of_a_mebibyte_is_refused(app: Flask, program: Program, bob: Person) -> None:
    form = bob.sees(program.question()).form("decision")

    with assert_quick_and_nothing_stored(app):
        for name in ("request_id", "consent_token", "workspace", "decision", "x"):
            response = bob.sends(form, **{"decision": "approve", name: "A" * MEBIBYTE})
            assert 400 <= response.status_code < 500
            assert len(response.data) < 16_384


def test_a_long_request_id_is_not_passed_on(app: Flask, stranger: Person) -> None:
    """A header of this size would break a reverse proxy."""
    with assert_quick_and_nothing_stored(app):
        response = stranger.browser.post("/oauth/authorize", data={"request_id": "A" * 400_000})

    assert len(response.location or "") < 20_000


HUGE_JSON = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 5000 + b"]" * 5000,
    b"[" + b"0," * 300_000 + b"0]",
    b'"' + b"A" * MEBIBYTE + b'"',
]


def test_json_that_is_too_deep_or_too_long_is_refused(app: Flask, alice: Person) -> None:
    for body in HUGE_JSON:
        with assert_quick_and_nothing_stored(app):
            for path in ("/oauth/authorize", API):
                response = alice.browser.post(path, data=body, content_type="application/json")
                assert 400 <= response.status_code < 500, body[:20]
                assert response.mimetype == "application/problem+json"


def test_a_registration_has_length_limits(app: Flask, alice: Person) -> None:
    valid = {"name": "N", "description": "", "scope": "tasks:read", "redirect_uris": [CALLBACK]}
    changes: list[dict[str, object]] = [
        {"name": "n" * 121},
        {"description": "d" * 501},
        {"redirect_uris": [f"https://program.test/{number}" for number in range(21)]},
        {"redirect_uris": [f"https://program.test/{'a' * 2000}"]},
        {"scope": "tasks:read " * 50_000 + "x"},
        {"name": "n" * MEBIBYTE},
    ]

    with assert_quick_and_nothing_stored(app):
        for change in changes:
            response = alice.browser.post(API, json=valid | change)
            assert response.status_code in (413, 422), str(change)[:80]
            assert len(response.data) < 4096


def test_a_browser_cookie_of_a_mebibyte_is_replaced(app: Flask, program: Program) -> None:
    browser = app.test_client(use_cookies=False)
    cookie = {"Cookie": "activepieces_browser=" + "A" * MEBIBYTE}

    with assert_quick_and_nothing_stored(app):
        response = browser.get(program.question(), headers=cookie)

    assert response.status_code == 302
    assert sum(len(value) for value in response.headers.getlist("Set-Cookie")) < 8192
