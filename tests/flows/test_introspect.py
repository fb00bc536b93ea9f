"""Introspection (RFC 7662): who may know what of a token."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.support.actors import Person, Program, answer_of
from tests.support.clock import START, StoppedClock
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.forgeries import NO_TOKENS_OF_OURS
from tests.support.hosts import ALL_SCOPES


@pytest.fixture
def tokens(program: Program, bob: Person) -> dict[str, Any]:
    """A connection of bob's."""
    return program.connects(bob)


def is_active(program: Program, token: str) -> bool:
    active = answer_of(program.introspects(token))["active"]
    assert isinstance(active, bool)
    return active


def test_an_access_token_is_described_to_its_client(
    program: Program, tokens: dict[str, Any]
) -> None:
    told = answer_of(program.introspects(tokens["access_token"]))

    assert len(told.pop("jti")) == 22
    assert len(told.pop("grant_id")) == 22
    assert told == {
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


def test_a_refresh_token_is_described_without_what_makes_it(
    program: Program, tokens: dict[str, Any]
) -> None:
    told = answer_of(program.introspects(tokens["refresh_token"]))

    assert told["active"] is True
    assert told["exp"] == START + 90 * 86_400
    assert not {"secret", "nonce", "token_type"} & set(told)


def test_a_refresh_token_is_active_for_as_long_as_it_gets_a_successor(
    program: Program, tokens: dict[str, Any]
) -> None:
    """The one before the newest still does, because its answer may be lost; an older one ends the connection."""
    first = tokens["refresh_token"]
    second = answer_of(program.refreshes(first))["refresh_token"]
    third = answer_of(program.refreshes(second))["refresh_token"]

    assert [is_active(program, token) for token in (first, second, third)] == [False, True, True]
    assert program.refreshes(third).status_code == 200, "to look at a token is not to use it"


def test_an_inactive_token_is_nothing_but_inactive(
    app: Flask, program: Program, tokens: dict[str, Any], clock: StoppedClock
) -> None:
    """RFC 7662 §2.2: not even why."""
    program.revokes(tokens["refresh_token"])
    ended = [tokens["access_token"], tokens["refresh_token"], *NO_TOKENS_OF_OURS]

    with assert_nothing_stored(app):
        for token in ended:
            assert answer_of(program.introspects(token)) == {"active": False}, token


def test_an_expired_token_is_inactive(
    program: Program, tokens: dict[str, Any], clock: StoppedClock
) -> None:
    clock.advance(3599)
    assert is_active(program, tokens["access_token"])
    clock.advance(1)
    assert not is_active(program, tokens["access_token"])
    clock.advance(days=90)
    assert not is_active(program, tokens["refresh_token"])


def test_another_clients_token_does_not_exist(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    other = Program.registered(app)

    for kind in ("access_token", "refresh_token"):
        assert answer_of(other.introspects(tokens[kind])) == {"active": False}


@pytest.mark.parametrize(
    ("options", "may"),
    [([], True), (["--tenant", "acme"], True), (["--tenant", "globex"], False)],
)
def test_a_resource_server_checks_the_tokens_of_its_tenant(
    app: Flask, tokens: dict[str, Any], options: list[str], may: bool
) -> None:
    resource_server = Program.registered(app, "--introspection", *options)

    for kind in ("access_token", "refresh_token"):
        assert is_active(resource_server, tokens[kind]) is may


def test_a_resource_server_cannot_revoke_what_it_checks(app: Flask, tokens: dict[str, Any]) -> None:
    resource_server = Program.registered(app, "--introspection")

    assert_oauth_error(resource_server.revokes(tokens["access_token"]), 400, "invalid_grant")


def test_introspection_needs_proof_and_a_token(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    token = tokens["access_token"]

    with assert_nothing_stored(app):
        assert_oauth_error(program.introspects(token, client_secret="wrong"), 401, "invalid_client")
        assert_oauth_error(program.introspects(token, client_secret=None), 401, "invalid_client")
        assert_oauth_error(program.introspects(token, client_id=None), 401, "invalid_client")
        assert_oauth_error(program.posts("/oauth/introspect", {}), 400, "invalid_request")
        # RFC 7662 §2.1 allows a bearer token as proof; here a token cannot look itself up.
        bearer = {"Authorization": f"Bearer {token}"}
        by_bearer = app.test_client().post(
            "/oauth/introspect", data={"token": token}, headers=bearer
        )
        assert_oauth_error(by_bearer, 401, "invalid_client")


def test_a_clients_own_token_is_described_without_a_user(app: Flask) -> None:
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme")
    form: dict[str, str | None] = {"grant_type": "client_credentials"}
    token = answer_of(robot.posts("/oauth/token", form))["access_token"]

    told = answer_of(robot.introspects(token))

    assert told["sub"] == told["client_id"] == robot.client_id
    assert "grant_id" not in told
    assert answer_of(robot.revokes(token)) == {}
    assert not is_active(robot, token)
