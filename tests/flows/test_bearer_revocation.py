"""When a revocation takes effect, and what happens to tokens that cannot be checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from flask_activepieces.oauth import revocations
from flask_activepieces.state import get_state
from flask_activepieces.storage.database import Transaction
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.storage import database_away, rows_of


@pytest.fixture
def token(program: Program, bob: Person) -> str:
    """A valid access token of Bob."""
    pair = program.connects(bob)
    assert isinstance(pair["access_token"], str)
    return pair["access_token"]


def call(app: Flask, authorization: str | None, path: str = "/api/whoami") -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return app.test_client().get(path, headers=headers)


def assert_refused(response: TestResponse, description: str) -> None:
    assert answer_of(response, 401) == {"error": "invalid_token", "error_description": description}


# Revocation: immediately, or within the allowed staleness


REVOKED = ["the token alone", "its family", "its grant", "its client"]


def revoke(app: Flask, program: Program, bob: Person, pair: dict[str, Any], target: str) -> None:
    if target == "the token alone":
        program.revokes(pair["access_token"])
    elif target == "its family":
        program.revokes(pair["refresh_token"])
    elif target == "its grant":
        bob.sends(bob.sees("/oauth/connected-apps").form_to("/disconnect"))
    else:
        delete = ["activepieces", "client", "delete", program.client_id, "--yes"]
        app.test_cli_runner().invoke(args=delete)


@pytest.mark.parametrize("target", REVOKED)
def test_a_revoked_token_is_refused_from_the_next_request(
    app: Flask, program: Program, bob: Person, target: str
) -> None:
    pair = program.connects(bob)
    assert program.calls(pair["access_token"]).status_code == 200

    revoke(app, program, bob, pair, target)

    assert_refused(program.calls(pair["access_token"]), "The access token was revoked.")


@pytest.mark.parametrize("target", REVOKED)
def test_a_cached_token_is_refused_after_the_allowed_staleness(
    make_app: MakeApp, clock: StoppedClock, target: str
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program, bob = Program.registered(app), Person(app, "bob")
    pair = program.connects(bob)
    assert program.calls(pair["access_token"]).status_code == 200

    revoke(app, program, bob, pair, target)
    clock.advance(9)
    assert program.calls(pair["access_token"]).status_code == 200
    clock.advance(1)

    assert_refused(program.calls(pair["access_token"]), "The access token was revoked.")


def test_the_cache_keeps_older_revocations(make_app: MakeApp, clock: StoppedClock) -> None:
    """A refresh loads only newer revocations, so it must keep the older ones."""
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program, bob = Program.registered(app), Person(app, "bob")
    pair = program.connects(bob)
    program.revokes(pair["access_token"])

    for _ in range(40):
        assert program.calls(pair["access_token"]).status_code == 401
        clock.advance(80)


def test_a_worker_that_starts_late_knows_every_revocation_still_in_force(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    app = make_app()
    program, bob = Program.registered(app), Person(app, "bob")
    pair = program.connects(bob)
    program.revokes(pair["access_token"])
    clock.advance(3000)

    late_worker = make_app(tables=False, ACTIVEPIECES_REVOCATION_MAX_STALENESS=300)

    assert call(late_worker, f"Bearer {pair['access_token']}").status_code == 401


def test_a_revocation_outlives_a_shortened_token_lifetime(make_app: MakeApp, clock: StoppedClock) -> None:
    """A revocation must last as long as tokens issued before the setting changed."""
    before = make_app(ACTIVEPIECES_ACCESS_TOKEN_TTL=7200)
    program = Program.registered(before)
    pairs = [program.connects(Person(before, name)) for name in ("bob", "carol")]

    after = replace(program, app=make_app(tables=False, ACTIVEPIECES_ACCESS_TOKEN_TTL=1000))
    after.revokes(pairs[0]["access_token"])
    after.revokes(pairs[1]["refresh_token"])
    clock.advance(3600)
    after.app.test_cli_runner().invoke(args=["activepieces", "prune"])

    assert [after.calls(pair["access_token"]).status_code for pair in pairs] == [401, 401]


def test_revoking_one_token_leaves_others_valid(app: Flask, program: Program, bob: Person, alice: Person) -> None:
    revoked, other = program.connects(bob), program.connects(alice)

    program.revokes(revoked["refresh_token"])

    assert program.calls(other["access_token"]).status_code == 200
    assert [row["subject"].partition(":")[0] for row in rows_of(app, "revocations")] == ["family"]


# The in-memory cache misses no revocation, whatever clocks and transactions do


@pytest.mark.parametrize("step", [11, 61, 1800])
def test_setting_the_clock_back_hides_no_revocation_from_the_cache(
    make_app: MakeApp, clock: StoppedClock, step: int
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program = Program.registered(app)
    pair = program.connects(Person(app, "bob"))
    clock.advance(step)
    assert program.calls(pair["access_token"]).status_code == 200

    clock.advance(-step)
    program.revokes(pair["refresh_token"])
    clock.advance(step + 10)

    assert_refused(program.calls(pair["access_token"]), "The access token was revoked.")


def test_setting_the_clock_back_by_an_hour_reloads_the_cache(make_app: MakeApp, clock: StoppedClock) -> None:
    """Otherwise nothing would be loaded for an hour."""
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program = Program.registered(app)
    pair = program.connects(Person(app, "bob"))
    clock.advance(hours=1, seconds=-20)
    assert program.calls(pair["access_token"]).status_code == 200

    clock.advance(hours=-1)
    program.revokes(pair["refresh_token"])

    assert_refused(program.calls(pair["access_token"]), "The access token was revoked.")


def test_the_cache_sees_a_transaction_that_took_minutes_to_commit(make_app: MakeApp, clock: StoppedClock) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program = Program.registered(app)
    token = program.connects(Person(app, "bob"))["access_token"]
    (family,) = rows_of(app, "token_families")
    started_at = int(clock.now)

    def revoke_slowly(transaction: Transaction) -> None:
        revocations.add(transaction, revocations.family(family["id"]), now=started_at)
        clock.advance(180)
        assert program.calls(token).status_code == 200

    with app.app_context():
        get_state().database.run_in_transaction(revoke_slowly)
    clock.advance(10)

    assert_refused(program.calls(token), "The access token was revoked.")


@pytest.mark.parametrize("behind", [60, 61, 90])
def test_the_cache_sees_a_revocation_by_a_machine_with_a_slow_clock(
    make_app: MakeApp, clock: StoppedClock, behind: int
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    slow_app = make_app(tables=False, clock=StoppedClock(clock.now - behind))
    program = Program.registered(app)
    pair = program.connects(Person(app, "bob"))
    assert program.calls(pair["access_token"]).status_code == 200

    replace(program, app=slow_app).revokes(pair["refresh_token"])
    clock.advance(10)

    assert_refused(program.calls(pair["access_token"]), "The access token was revoked.")


# While the database is down a token cannot be checked, so it is not reported as invalid


def assert_unavailable(response: TestResponse) -> None:
    assert answer_of(response, 503)["error"] == "temporarily_unavailable"
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in response.headers


def test_a_token_that_cannot_be_checked_is_not_reported_as_invalid(app: Flask, token: str) -> None:
    with database_away(app):
        assert_unavailable(call(app, f"Bearer {token}"))

    assert call(app, f"Bearer {token}").status_code == 200


def test_an_invalid_token_is_refused_even_while_the_database_is_down(app: Flask, token: str) -> None:
    with database_away(app):
        assert_refused(call(app, f"Bearer {token}x"), "The access token is not valid here.")


def test_a_fresh_cache_is_used_while_the_database_is_down_and_a_stale_one_is_not(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    token = Program.registered(app).connects(Person(app, "bob"))["access_token"]
    call(app, f"Bearer {token}")

    with database_away(app):
        clock.advance(9)
        assert call(app, f"Bearer {token}").status_code == 200
        clock.advance(1)
        assert_unavailable(call(app, f"Bearer {token}"))
