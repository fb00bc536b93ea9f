"""Attacks on protected views: tokens in the wrong place, in the wrong form, or expired."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_nothing_stored
from tests.support.forgeries import joined, opened


@pytest.fixture
def token(program: Program, bob: Person) -> str:
    """A genuine access token of Bob."""
    value = program.connects(bob)["access_token"]
    assert isinstance(value, str)
    return value


def test_a_token_outside_the_authorization_header_is_ignored(app: Flask, token: str) -> None:
    """RFC 9700 §4.3.2: a token in the URL would end up in logs and histories."""
    client = app.test_client()
    responses = [
        client.get("/api/whoami", query_string={"access_token": token}),
        client.post("/api/tasks", data={"access_token": token}),
        client.get("/api/whoami", headers={"Cookie": f"access_token={token}"}),
        client.get("/api/whoami", headers={"X-Access-Token": token}),
    ]

    for response in responses:
        assert response.status_code == 401
        assert "error=" not in response.headers["WWW-Authenticate"]  # RFC 6750 §3.1


def test_a_token_with_another_scheme_is_ignored(app: Flask, token: str) -> None:
    templates = ["{}", "Basic {}", "Token {}", "Bearer", "Bearer ", "Bearer:{}", "Bearer\t{}", "BearerBearer {}"]

    for template in templates:
        headers = {"Authorization": template.format(token)}
        response = app.test_client().get("/api/whoami", headers=headers)
        assert response.status_code == 401, template
        assert "error=" not in response.headers["WWW-Authenticate"]


def test_two_tokens_are_refused(app: Flask, program: Program, token: str) -> None:
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]

    for forged in (f"{token}, {token}", f"{token} {token}", f"{token},Bearer {token}"):
        assert program.calls(forged).status_code == 401
    assert app.test_client().get("/api/whoami", headers=headers).status_code == 401


MALFORMED_JWTS = [
    ".",
    "..",
    "a.b",
    "a.b.c",
    "a.b.c.d",
    "a.b.c.d.e",
    "é.é.é",
    "A" * 8193,
    "A" * (1 << 20),
    "." * 8192,
    "e30.e30.e30",
    joined([], {}),
    joined("x", {}),
    joined(None, {}),
    joined(b"\xff", {}),
    joined(b"{", {}),
    joined(b"[" * 380, {}),
    joined(b'{"a":' * 70, {}),
    joined(b"9" * 300, {}),
    joined({"typ": "at+jwt"}, {}),
    joined({"typ": "at+jwt", "alg": "HS256", "kid": "x" * 400}, {}),
]


def test_a_malformed_jwt_is_refused(program: Program) -> None:
    for forged in MALFORMED_JWTS:
        response = program.calls(forged)
        assert response.status_code == 401, forged[:40]
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_a_token_with_any_changed_character_is_refused(program: Program, token: str) -> None:
    # The last character of a part may contain unused bits.
    ends = {len(token) - 1, *(position - 1 for position, character in enumerate(token) if character == ".")}
    positions = [position for position in range(0, len(token), 7) if position not in ends]

    for position in positions:
        other = "A" if token[position] != "A" else "B"
        assert program.calls(token[:position] + other + token[position + 1 :]).status_code == 401, position


def test_a_token_expires_on_the_second(program: Program, token: str, clock: StoppedClock) -> None:
    clock.advance(3599)
    assert program.calls(token).status_code == 200

    clock.advance(1)
    response = program.calls(token)

    assert response.status_code == 401
    assert "expired" in response.get_json()["error_description"]


def test_a_token_of_another_app_with_the_same_secret_key_is_refused(
    make_app: MakeApp, program: Program, token: str
) -> None:
    other = make_app(ACTIVEPIECES_PUBLIC_URL="https://other.example.com")

    program.app = other

    assert program.calls(token).status_code == 401


def test_a_token_of_a_removed_key_is_refused(make_app: MakeApp, program: Program, token: str) -> None:
    _, claims = opened(token)
    new = "a new secret key, long enough"
    program.app = make_app(ACTIVEPIECES_SECRET_KEYS=[new])

    assert claims["iss"] == "http://localhost"
    assert program.calls(token).status_code == 401


def test_insufficient_scope_is_reported_as_403(program: Program, bob: Person) -> None:
    code = bob.allows(program.question(scope="tasks:read"))
    token = program.redeems(code).get_json()["access_token"]

    response = program.calls(token, "/api/tasks", "POST")

    assert response.status_code == 403
    challenge = response.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="tasks:write"' in challenge


def test_a_401_names_the_resource_metadata_and_is_not_cached(app: Flask, program: Program) -> None:
    with assert_nothing_stored(app):
        response = program.calls("x")

    document = 'resource_metadata="http://localhost/.well-known/oauth-protected-resource"'
    assert document in response.headers["WWW-Authenticate"]
    assert response.headers["Cache-Control"] == "no-store"
