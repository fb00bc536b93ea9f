"""Requests that are too long, too many, too deep, or not as long as they say: refused, and refused quickly."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask

from tests.support.actors import CALLBACK, Person, Program
from tests.support.error_assertions import (
    assert_error_page,
    assert_nothing_stored,
    assert_oauth_error,
)

MEBIBYTE = 1 << 20
FORM = "application/x-www-form-urlencoded"
MACHINE = ["token", "revoke", "introspect"]
API = "/api/integration/activepieces/oauth-clients"


@contextmanager
def quickly(app: Flask) -> Iterator[None]:
    """Without a row, and in a second of this process's own time."""
    began = time.process_time()
    with assert_nothing_stored(app):
        yield
    assert time.process_time() - began < 1


def test_a_body_of_a_mebibyte_is_not_read(app: Flask, program: Program) -> None:
    body = urlencode({"client_id": program.client_id, "token": "A" * MEBIBYTE})

    with quickly(app):
        for path in MACHINE:
            response = app.test_client().post(f"/oauth/{path}", data=body, content_type=FORM)
            assert_oauth_error(response, 413, "invalid_request")


def test_a_body_that_does_not_tell_its_length_is_cut_off(app: Flask) -> None:
    """Cut off and refused, that is, and not understood as if it had ended there."""
    with quickly(app):
        for path in MACHINE:
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


def test_a_length_that_is_a_lie_is_refused(app: Flask, program: Program) -> None:
    form = {"client_id": program.client_id, "client_secret": program.client_secret, "token": "x"}

    with quickly(app):
        for length in ("-1", "x", "99999999999999999999", "10", "0", ""):
            response = app.test_client().post(
                "/oauth/introspect",
                input_stream=io.BytesIO(urlencode(form).encode()),
                content_type=FORM,
                environ_overrides={"CONTENT_LENGTH": length},
            )
            assert response.status_code in (400, 401, 413), length
            assert response.get_json()["error"] in ("invalid_request", "invalid_client")


def test_ten_thousand_parameters_are_no_way_in(app: Flask) -> None:
    names = [f"{number:x}=" for number in range(10_000)]

    with quickly(app):
        for path in MACHINE:
            for body in ("&".join(names), "&" * 60_000, "a&" * 30_000, "a=b=" * 15_000):
                response = app.test_client().post(f"/oauth/{path}", data=body, content_type=FORM)
                assert response.status_code in (400, 401, 413)


def test_ten_thousand_parameters_at_the_authorization_endpoint(
    app: Flask, program: Program, bob: Person
) -> None:
    many = "&".join(f"p{number}=" for number in range(10_000))

    with quickly(app):
        assert bob.opens(f"{program.question()}&{many}").status_code == 200
        assert_error_page(bob.opens(f"/oauth/authorize?{many}"))
        assert_error_page(bob.opens(f"{program.question()}&{'x=&' * 10_000}"))


NAMES = ["client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"]
NAMES += ["code_challenge", "code_challenge_method", "prompt", "resource", "request", "request_id"]


def test_a_mebibyte_in_one_parameter_is_neither_kept_nor_sent_on(
    app: Flask, program: Program, bob: Person
) -> None:
    stranger = Person(app)

    for name in NAMES:
        question = program.question(**({} if name == "request_id" else {name: None}))
        with quickly(app):
            for person in (bob, stranger):
                response = person.opens(f"{question}&{name}={'A' * MEBIBYTE}")
                if response.location is None and (
                    person is not bob or name not in ("prompt", "request_id")
                ):
                    assert_error_page(response)
                assert len(response.location or "") < 8192
                assert len(response.data) < 16_384


def test_a_state_of_2000_characters_is_the_longest(
    app: Flask, program: Program, bob: Person
) -> None:
    longest = "s" * 2000

    assert bob.answers(program.question(state=longest))["state"] == longest
    with quickly(app):
        assert_error_page(bob.opens(program.question(state=longest + "s")))


#: The longest request line that gunicorn reads, unless it is told otherwise; nginx and Apache read 8,190 and more.
LONGEST_LINE = 4094


@pytest.mark.parametrize("character", ["s", "é", "\U0001f600", '"', "%"])
@pytest.mark.parametrize("path", ["", "/callback" + "a" * 1900])
def test_no_request_is_sent_on_by_an_address_too_long_for_a_server(
    app: Flask, stranger: Person, character: str, path: str
) -> None:
    """It came in as it is, and grows on its way through the login page: there it would end in a 414."""
    program = Program.registered(app, redirect_uri=f"https://program.test{path}")
    refused = 0

    for length in range(0, 2001, 125):
        sent = stranger.opens(program.question(state=character * length))
        if sent.location is None:
            refused += 1
            assert "Tell the app's developers" in assert_error_page(sent).text
            continue
        again = stranger.sign_in("bob", next=parse_qs(urlsplit(sent.location).query)["next"][0])
        stranger.opens("/logout")
        for location in (sent.location, again.location):
            assert len(f"GET {location} HTTP/1.1\r\n") <= LONGEST_LINE, length

    assert refused < 17, "without a state it is short enough"


def test_an_authorization_header_of_a_mebibyte_is_no_proof(app: Flask) -> None:
    form = {"grant_type": "client_credentials", "token": "x"}

    for scheme in ("Basic", "Bearer", "Digest", "A" * 1000):
        headers = {"Authorization": f"{scheme} {'QTpC' * (MEBIBYTE // 4)}"}
        with quickly(app):
            for path in MACHINE:
                response = app.test_client().post(f"/oauth/{path}", data=form, headers=headers)
                assert_oauth_error(response, 401, "invalid_client")
            assert app.test_client().get("/api/whoami", headers=headers).status_code == 401


def test_a_consent_form_of_a_mebibyte_is_no_answer(
    app: Flask, program: Program, bob: Person
) -> None:
    form = bob.sees(program.question()).form("decision")

    with quickly(app):
        for name in ("request_id", "consent_token", "workspace", "decision", "x"):
            response = bob.sends(form, **{"decision": "approve", name: "A" * MEBIBYTE})
            assert 400 <= response.status_code < 500
            assert len(response.data) < 16_384


def test_a_request_id_is_not_sent_on_at_any_length(app: Flask, stranger: Person) -> None:
    """A header of this size breaks the proxy in front."""
    with quickly(app):
        response = stranger.browser.post("/oauth/authorize", data={"request_id": "A" * 400_000})

    assert len(response.location or "") < 20_000


TOO_MUCH = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 5000 + b"]" * 5000,
    b"[" + b"0," * 300_000 + b"0]",
    b'"' + b"A" * MEBIBYTE + b'"',
]


def test_json_that_is_too_deep_or_too_long_is_bad_input(app: Flask, alice: Person) -> None:
    for body in TOO_MUCH:
        with quickly(app):
            for path in ("/oauth/authorize", API):
                response = alice.browser.post(path, data=body, content_type="application/json")
                assert 400 <= response.status_code < 500, body[:20]
                assert response.mimetype == "application/problem+json"


def test_a_registration_has_bounds(app: Flask, alice: Person) -> None:
    right = {"name": "N", "description": "", "scope": "tasks:read", "redirect_uris": [CALLBACK]}
    wrong: list[dict[str, object]] = [
        {"name": "n" * 121},
        {"description": "d" * 501},
        {"redirect_uris": [f"https://program.test/{number}" for number in range(21)]},
        {"redirect_uris": [f"https://program.test/{'a' * 2000}"]},
        {"scope": "tasks:read " * 50_000 + "x"},
        {"name": "n" * MEBIBYTE},
    ]

    with quickly(app):
        for change in wrong:
            response = alice.browser.post(API, json=right | change)
            assert response.status_code in (413, 422), str(change)[:80]
            assert len(response.data) < 4096


def test_a_browser_cookie_of_any_length_is_somebodys(app: Flask, program: Program) -> None:
    browser = app.test_client(use_cookies=False)
    cookie = {"Cookie": "activepieces_browser=" + "A" * MEBIBYTE}

    with quickly(app):
        response = browser.get(program.question(), headers=cookie)

    assert response.status_code == 302
    assert sum(len(value) for value in response.headers.getlist("Set-Cookie")) < 8192
