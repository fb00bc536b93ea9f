"""Introspection (RFC 7662): who may read what about a token."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.support.actors import Person, Program, answer_of
from tests.support.clock import START, StoppedClock
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.forgeries import MALFORMED_TOKENS
from tests.support.hosts import ALL_SCOPES


@pytest.fixture
def tokens(program: Program, bob: Person) -> dict[str, Any]:
    """A pair of tokens of Bob."""
    return program.connects(bob)


def is_active(program: Program, token: str) -> bool:
    active = answer_of(program.introspects(token))["active"]
    assert isinstance(active, bool)
    return active


def test_a_client_can_introspect_its_access_token(program: Program, tokens: dict[str, Any]) -> None:
    claims = answer_of(program.introspects(tokens["access_token"]))

    assert len(claims.pop("jti")) == 22
    assert len(claims.pop("grant_id")) == 22
    assert claims == {
        "active": True,
        "client_id": program.client_id,
        "scope": ALL_SCOPES,
        "sub": "bob",
        "iss": "http://localhost",
        "aud": "http://localhost",
        "token_type": "Bearer",
        "iat": START,
        "exp": START + 3600,
        "tenant_id": "acme",
    }


def test_introspecting_a_refresh_token_reveals_no_secret_part(program: Program, tokens: dict[str, Any]) -> None:
    claims = answer_of(program.introspects(tokens["refresh_token"]))

    assert claims["active"] is True
    assert claims["exp"] == START + 90 * 86_400
    assert not {"secret", "nonce", "token_type"} & set(claims)


def test_a_refresh_token_is_active_while_it_can_be_refreshed(program: Program, tokens: dict[str, Any]) -> None:
    """The second newest still can, because its response may be lost; reusing an older one revokes the family."""
    first = tokens["refresh_token"]
    second = answer_of(program.refreshes(first))["refresh_token"]
    third = answer_of(program.refreshes(second))["refresh_token"]

    assert [is_active(program, token) for token in (first, second, third)] == [False, True, True]
    assert program.refreshes(third).status_code == 200, "introspection must not count as use"


def test_an_inactive_token_reveals_nothing_else(
    app: Flask, program: Program, tokens: dict[str, Any], clock: StoppedClock
) -> None:
    """RFC 7662 §2.2: not even the reason."""
    program.revokes(tokens["refresh_token"])
    inactive = [tokens["access_token"], tokens["refresh_token"], *MALFORMED_TOKENS]

    with assert_nothing_stored(app):
        for token in inactive:
            assert answer_of(program.introspects(token)) == {"active": False}, token


def test_an_expired_token_is_inactive(program: Program, tokens: dict[str, Any], clock: StoppedClock) -> None:
    clock.advance(3599)
    assert is_active(program, tokens["access_token"])
    clock.advance(1)
    assert not is_active(program, tokens["access_token"])
    clock.advance(days=90)
    assert not is_active(program, tokens["refresh_token"])


def test_another_clients_token_is_inactive(app: Flask, program: Program, tokens: dict[str, Any]) -> None:
    other = Program.registered(app)

    for kind in ("access_token", "refresh_token"):
        assert answer_of(other.introspects(tokens[kind])) == {"active": False}


@pytest.mark.parametrize(
    ("options", "allowed"), [([], True), (["--tenant", "acme"], True), (["--tenant", "globex"], False)]
)
def test_a_resource_server_can_introspect_tokens_of_its_tenant(
    app: Flask, tokens: dict[str, Any], options: list[str], allowed: bool
) -> None:
    resource_server = Program.registered(app, "--introspection", *options)

    for kind in ("access_token", "refresh_token"):
        assert is_active(resource_server, tokens[kind]) is allowed


def test_a_resource_server_cannot_revoke_tokens_that_it_introspects(app: Flask, tokens: dict[str, Any]) -> None:
    resource_server = Program.registered(app, "--introspection")

    assert_oauth_error(resource_server.revokes(tokens["access_token"]), 400, "invalid_grant")


def test_introspection_needs_client_authentication_and_a_token(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    token = tokens["access_token"]

    with assert_nothing_stored(app):
        assert_oauth_error(program.introspects(token, client_secret="wrong"), 401, "invalid_client")
        assert_oauth_error(program.introspects(token, client_secret=None), 401, "invalid_client")
        assert_oauth_error(program.introspects(token, client_id=None), 401, "invalid_client")
        assert_oauth_error(program.posts("/oauth/introspect", {}), 400, "invalid_request")
        # RFC 7662 §2.1 allows authentication by bearer token; here a token cannot introspect itself.
        bearer = {"Authorization": f"Bearer {token}"}
        response = app.test_client().post("/oauth/introspect", data={"token": token}, headers=bearer)
        assert_oauth_error(response, 401, "invalid_client")


def test_a_client_credentials_token_is_introspected_without_a_user(app: Flask) -> None:
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme")
    form: dict[str, str | None] = {"grant_type": "client_credentials"}
    token = answer_of(robot.posts("/oauth/token", form))["access_token"]

    claims = answer_of(robot.introspects(token))

    assert claims["sub"] == claims["client_id"] == robot.client_id
    assert "grant_id" not in claims
    assert answer_of(robot.revokes(token)) == {}
    assert not is_active(robot, token)
