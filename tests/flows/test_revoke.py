"""Revocation (RFC 7009): a client revokes its tokens."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.support.actors import Person, Program, answer_of
from tests.support.clock import START, StoppedClock
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.forgeries import MALFORMED_TOKENS
from tests.support.storage import row_counts, rows_of


@pytest.fixture
def tokens(program: Program, bob: Person) -> dict[str, Any]:
    """A pair of tokens of Bob."""
    return program.connects(bob)


def is_active(program: Program, token: str) -> bool:
    active = answer_of(program.introspects(token))["active"]
    assert isinstance(active, bool)
    return active


def test_revoking_an_access_token_revokes_only_that_token(program: Program, tokens: dict[str, Any]) -> None:
    response = program.revokes(tokens["access_token"])

    assert answer_of(response) == {}
    assert response.headers["Cache-Control"] == "no-store"
    assert program.calls(tokens["access_token"]).status_code == 401
    assert program.refreshes(tokens["refresh_token"]).status_code == 200


def test_revoking_a_refresh_token_revokes_its_family(program: Program, tokens: dict[str, Any]) -> None:
    assert answer_of(program.revokes(tokens["refresh_token"])) == {}

    assert program.calls(tokens["access_token"]).status_code == 401
    assert_oauth_error(program.refreshes(tokens["refresh_token"]), 400, "invalid_grant")


def test_revoking_a_rotated_refresh_token_revokes_its_family(program: Program, tokens: dict[str, Any]) -> None:
    """A client that lost a response has only the rotated token."""
    newer = answer_of(program.refreshes(tokens["refresh_token"]))
    newest = answer_of(program.refreshes(newer["refresh_token"]))

    assert answer_of(program.revokes(tokens["refresh_token"])) == {}

    assert program.calls(newest["access_token"]).status_code == 401
    assert_oauth_error(program.refreshes(newest["refresh_token"]), 400, "invalid_grant")


def test_revoking_one_family_leaves_the_users_other_families(
    program: Program, bob: Person, tokens: dict[str, Any]
) -> None:
    code = bob.allows(program.question(prompt="consent"))
    other = answer_of(program.redeems(code))

    program.revokes(tokens["refresh_token"])

    assert program.calls(other["access_token"]).status_code == 200
    assert program.refreshes(other["refresh_token"]).status_code == 200


@pytest.mark.parametrize("token_type", ["access_token", "refresh_token"])
def test_the_token_type_hint_is_ignored(program: Program, tokens: dict[str, Any], token_type: str) -> None:
    for hint in ("access_token", "refresh_token", "id_token", "nonsense", ""):
        hinted = program.introspects(tokens[token_type], token_type_hint=hint)
        assert answer_of(hinted)["active"] is True

    wrong = "access_token" if token_type == "refresh_token" else "refresh_token"
    assert answer_of(program.revokes(tokens[token_type], token_type_hint=wrong)) == {}
    assert not is_active(program, tokens[token_type])


def test_revoking_an_invalid_token_succeeds(app: Flask, program: Program, tokens: dict[str, Any]) -> None:
    """RFC 7009 §2.2: an invalid token is not an error, because the client's goal is already achieved."""
    changed = [tokens[kind][:-2] + "AA" for kind in ("access_token", "refresh_token")]

    with assert_nothing_stored(app):
        for token in MALFORMED_TOKENS + changed:
            assert answer_of(program.revokes(token)) == {}, token


def test_revoking_twice_is_not_an_error_and_adds_no_revocation(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    for kind in ("access_token", "refresh_token"):
        program.revokes(tokens[kind])
    before = row_counts(app)["revocations"]

    for kind in ("access_token", "refresh_token"):
        assert answer_of(program.revokes(tokens[kind])) == {}

    assert row_counts(app)["revocations"] == before == 2


def test_an_expired_access_token_needs_no_revocation(
    app: Flask, program: Program, tokens: dict[str, Any], clock: StoppedClock
) -> None:
    clock.advance(3600)

    with assert_nothing_stored(app):
        assert answer_of(program.revokes(tokens["access_token"])) == {}


def test_another_clients_token_is_not_revoked(app: Flask, program: Program, tokens: dict[str, Any]) -> None:
    other = Program.registered(app)

    with assert_nothing_stored(app):
        for kind in ("access_token", "refresh_token"):
            assert_oauth_error(other.revokes(tokens[kind]), 400, "invalid_grant")

    assert is_active(program, tokens["access_token"])
    assert program.refreshes(tokens["refresh_token"]).status_code == 200


def test_a_revocation_needs_client_authentication_and_a_token(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    token = tokens["refresh_token"]

    with assert_nothing_stored(app):
        assert_oauth_error(program.revokes(token, client_secret="wrong"), 401, "invalid_client")
        assert_oauth_error(program.revokes(token, client_secret=None), 401, "invalid_client")
        assert_oauth_error(program.posts("/oauth/revoke", {}), 400, "invalid_request")
        assert_oauth_error(program.revokes(""), 400, "invalid_request")


def test_a_public_client_can_revoke_its_tokens(app: Flask, bob: Person) -> None:
    public = Program.registered(app, "--public")
    tokens = public.connects(bob)

    assert answer_of(public.revokes(tokens["refresh_token"])) == {}

    assert_oauth_error(public.refreshes(tokens["refresh_token"]), 400, "invalid_grant")


def test_a_revocation_is_audited(app: Flask, program: Program, tokens: dict[str, Any]) -> None:
    program.revokes(tokens["refresh_token"])

    event = rows_of(app, "audit_events")[-1]

    assert (event["name"], event["tenant_id"], event["user_id"]) == ("token.revoked", "acme", "bob")


def test_a_revocation_is_kept_until_shortly_after_its_token_expires(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    program.revokes(tokens["access_token"])

    (row,) = rows_of(app, "revocations")

    assert START + 3600 < row["expires_at"] <= START + 3600 + 60
