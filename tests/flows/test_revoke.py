"""Revocation (RFC 7009): a client gives up what it has."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.support.actors import Person, Program, answer_of
from tests.support.clock import START, StoppedClock
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.forgeries import NO_TOKENS_OF_OURS
from tests.support.storage import row_counts, rows_of


@pytest.fixture
def tokens(program: Program, bob: Person) -> dict[str, Any]:
    """A connection of bob's."""
    return program.connects(bob)


def is_active(program: Program, token: str) -> bool:
    active = answer_of(program.introspects(token))["active"]
    assert isinstance(active, bool)
    return active


def test_revoking_an_access_token_ends_it_alone(program: Program, tokens: dict[str, Any]) -> None:
    response = program.revokes(tokens["access_token"])

    assert answer_of(response) == {}
    assert response.headers["Cache-Control"] == "no-store"
    assert program.calls(tokens["access_token"]).status_code == 401
    assert program.refreshes(tokens["refresh_token"]).status_code == 200


def test_revoking_a_refresh_token_ends_the_connection(
    program: Program, tokens: dict[str, Any]
) -> None:
    assert answer_of(program.revokes(tokens["refresh_token"])) == {}

    assert program.calls(tokens["access_token"]).status_code == 401
    assert_oauth_error(program.refreshes(tokens["refresh_token"]), 400, "invalid_grant")


def test_revoking_a_rotated_refresh_token_ends_the_connection(
    program: Program, tokens: dict[str, Any]
) -> None:
    """A client that lost an answer holds no other."""
    newer = answer_of(program.refreshes(tokens["refresh_token"]))
    newest = answer_of(program.refreshes(newer["refresh_token"]))

    assert answer_of(program.revokes(tokens["refresh_token"])) == {}

    assert program.calls(newest["access_token"]).status_code == 401
    assert_oauth_error(program.refreshes(newest["refresh_token"]), 400, "invalid_grant")


def test_revoking_one_connection_spares_the_users_other_one(
    program: Program, bob: Person, tokens: dict[str, Any]
) -> None:
    code = bob.allows(program.question(prompt="consent"))
    other = answer_of(program.redeems(code))

    program.revokes(tokens["refresh_token"])

    assert program.calls(other["access_token"]).status_code == 200
    assert program.refreshes(other["refresh_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_hint_right_or_wrong_changes_nothing(
    program: Program, tokens: dict[str, Any], kind: str
) -> None:
    for hint in ("access_token", "refresh_token", "id_token", "nonsense", ""):
        hinted = program.introspects(tokens[kind], token_type_hint=hint)
        assert answer_of(hinted)["active"] is True

    wrong = "access_token" if kind == "refresh_token" else "refresh_token"
    assert answer_of(program.revokes(tokens[kind], token_type_hint=wrong)) == {}
    assert not is_active(program, tokens[kind])


def test_what_is_no_token_is_revoked_already(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    """RFC 7009 §2.2: an invalid token is no error, for the client's wish is fulfilled."""
    changed = [tokens[kind][:-2] + "AA" for kind in ("access_token", "refresh_token")]

    with assert_nothing_stored(app):
        for token in NO_TOKENS_OF_OURS + changed:
            assert answer_of(program.revokes(token)) == {}, token


def test_revoking_again_is_no_error_and_adds_no_revocation(
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


def test_another_clients_token_is_not_revoked(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    other = Program.registered(app)

    with assert_nothing_stored(app):
        for kind in ("access_token", "refresh_token"):
            assert_oauth_error(other.revokes(tokens[kind]), 400, "invalid_grant")

    assert is_active(program, tokens["access_token"])
    assert program.refreshes(tokens["refresh_token"]).status_code == 200


def test_a_revocation_needs_the_clients_proof_and_a_token(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    token = tokens["refresh_token"]

    with assert_nothing_stored(app):
        assert_oauth_error(program.revokes(token, client_secret="wrong"), 401, "invalid_client")
        assert_oauth_error(program.revokes(token, client_secret=None), 401, "invalid_client")
        assert_oauth_error(program.posts("/oauth/revoke", {}), 400, "invalid_request")
        assert_oauth_error(program.revokes(""), 400, "invalid_request")


def test_a_public_client_gives_up_its_own(app: Flask, bob: Person) -> None:
    public = Program.registered(app, "--public")
    tokens = public.connects(bob)

    assert answer_of(public.revokes(tokens["refresh_token"])) == {}

    assert_oauth_error(public.refreshes(tokens["refresh_token"]), 400, "invalid_grant")


def test_a_revocation_is_written_down(app: Flask, program: Program, tokens: dict[str, Any]) -> None:
    program.revokes(tokens["refresh_token"])

    event = rows_of(app, "audit_events")[-1]

    assert (event["name"], event["tenant_id"], event["user_id"]) == ("token.revoked", "acme", "bob")


def test_revocations_outlive_what_they_revoke_and_no_longer(
    app: Flask, program: Program, tokens: dict[str, Any]
) -> None:
    program.revokes(tokens["access_token"])

    (row,) = rows_of(app, "revocations")

    assert START + 3600 < row["expires_at"] <= START + 3600 + 60
