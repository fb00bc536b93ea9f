"""Attacks on the authorization endpoint: erroneous, repeated and header-splitting parameters."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from flask import Flask

from tests.support.actors import CALLBACK, Person, Program
from tests.support.error_assertions import assert_error_page, assert_nothing_stored

#: Every kind of parameter error.
ERRONEOUS: list[dict[str, str | None]] = [
    {},
    {"response_type": None},
    {"response_type": "token"},
    {"response_type": "id_token"},
    {"response_type": "code id_token token"},
    {"response_type": "x", "scope": "openid"},
    {"response_mode": "fragment"},
    {"scope": "openid"},
    {"scope": "x"},
    {"scope": None},
    {"state": None},
    {"prompt": "none"},
    {"prompt": "none login"},
    {"code_challenge": None, "code_challenge_method": None},
    {"code_challenge_method": "plain"},
    {"request": "e30."},
    {"request_uri": "https://evil.test/request"},
    {"resource": "https://evil.test/"},
]


@pytest.fixture
def program(trusted: Program) -> Program:
    """A client that may skip the consent page, so that only the check under test can refuse it."""
    return trusted


def test_CVE_2026_41479_no_error_redirects_for_an_unknown_client(
    app: Flask, program: Program, victim: Person
) -> None:
    with assert_nothing_stored(app):
        for changes in ERRONEOUS:
            for client_id in (None, "unknown"):
                parameters = {"client_id": client_id, "redirect_uri": "https://evil.test/"} | changes
                assert_error_page(victim.opens(program.question(**parameters)))


def test_CVE_2026_44681_no_error_redirects_to_an_unregistered_uri(
    app: Flask, program: Program, victim: Person
) -> None:
    with assert_nothing_stored(app):
        for changes in ERRONEOUS:
            assert_error_page(victim.opens(program.question(redirect_uri="https://evil.test/", **changes)))


def test_prompt_none_does_not_redirect_before_the_client_is_known(
    app: Flask, program: Program, victim: Person
) -> None:
    with assert_nothing_stored(app):
        for changes in ({"client_id": "unknown"}, {"redirect_uri": "https://evil.test/"}):
            assert_error_page(victim.opens(program.question(prompt="none", **changes)))


PARAMETERS = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "resource",
    "nonce",
]


def test_no_parameter_may_be_repeated(app: Flask, program: Program, victim: Person) -> None:
    """RFC 6749 §3.1: parsers differ in which of the two values they use."""
    question = program.question(prompt="none", resource="http://localhost", nonce="n")

    with assert_nothing_stored(app):
        for name in PARAMETERS:
            (value,) = re.findall(f"[?&]({name}=[^&]*)", question)
            for second in (value, f"{name}=", f"{name}=https://evil.test/"):
                assert_error_page(victim.opens(f"{question}&{second}"))
                assert_error_page(victim.opens(question.replace("?", f"?{second}&", 1)))


def test_a_second_redirect_uri_in_another_spelling_is_ignored(app: Flask, program: Program, bob: Person) -> None:
    evil = quote("https://evil.test/", safe="")
    bob.answers(program.question())

    for second in ("Redirect_uri", "redirect_uri[]", "redirect_uri ", "redirect-uri", "redirect_url"):
        response = bob.opens(f"{program.question()}&{quote(second)}={evil}")
        assert response.location.startswith(f"{CALLBACK}?"), second


LINE_BREAKS = ["\r\nSet-Cookie: a=b", "\nX-Injected: 1", "\r\n\r\n<script>", "%0d%0aX-Injected: 1", "\u560a"]


def test_no_parameter_can_split_a_header(app: Flask, program: Program, victim: Person) -> None:
    for line_break in LINE_BREAKS:
        for name in ("state", "scope", "client_id", "redirect_uri", "prompt", "resource"):
            response = victim.opens(program.question(**{name: f"x{line_break}"}))

            assert "X-Injected" not in response.headers
            assert "a=b" not in response.headers.getlist("Set-Cookie")
            assert all("\n" not in value and "\r" not in value for _, value in response.headers)
            assert "<script>" not in response.text
