"""What "revoked" means and when; and that a token which cannot be checked is no bad token."""

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
    """A good access token of Bob's."""
    pair = program.connects(bob)
    assert isinstance(pair["access_token"], str)
    return pair["access_token"]


def call(app: Flask, authorization: str | None, path: str = "/api/whoami") -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return app.test_client().get(path, headers=headers)


def refused(response: TestResponse, description: str) -> None:
    assert answer_of(response, 401) == {
        "error": "invalid_token",
        "error_description": description,
    }


# Revoked: at once, or within a bound


ENDINGS = ["the token alone", "its family", "its grant", "its client"]


def end(app: Flask, program: Program, bob: Person, pair: dict[str, Any], what: str) -> None:
    if what == "the token alone":
        program.revokes(pair["access_token"])
    elif what == "its family":
        program.revokes(pair["refresh_token"])
    elif what == "its grant":
        bob.sends(bob.sees("/oauth/connected-apps").form_to("/disconnect"))
    else:
        delete = ["activepieces", "client", "delete", program.client_id, "--yes"]
        app.test_cli_runner().invoke(args=delete)


@pytest.mark.parametrize("what", ENDINGS)
def test_what_is_ended_is_refused_from_the_next_request_on(
    app: Flask, program: Program, bob: Person, what: str
) -> None:
    pair = program.connects(bob)
    assert program.calls(pair["access_token"]).status_code == 200

    end(app, program, bob, pair, what)

    refused(program.calls(pair["access_token"]), "The access token was revoked.")


@pytest.mark.parametrize("what", ENDINGS)
def test_with_a_bound_it_is_refused_once_the_bound_is_over(
    make_app: MakeApp, clock: StoppedClock, what: str
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program, bob = Program.registered(app), Person(app, "bob")
    pair = program.connects(bob)
    assert program.calls(pair["access_token"]).status_code == 200

    end(app, program, bob, pair, what)
    clock.advance(9)
    assert program.calls(pair["access_token"]).status_code == 200
    clock.advance(1)

    refused(program.calls(pair["access_token"]), "The access token was revoked.")


def test_a_copy_remembers_what_was_revoked_long_before(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    """The copy is brought up to date with what is new: what is older must stay in it."""
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program, bob = Program.registered(app), Person(app, "bob")
    pair = program.connects(bob)
    program.revokes(pair["access_token"])

    for _ in range(40):
        assert program.calls(pair["access_token"]).status_code == 401
        clock.advance(80)


def test_a_worker_that_starts_late_knows_every_revocation_that_still_counts(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    app = make_app()
    program, bob = Program.registered(app), Person(app, "bob")
    pair = program.connects(bob)
    program.revokes(pair["access_token"])
    clock.advance(3000)

    late = make_app(tables=False, ACTIVEPIECES_REVOCATION_MAX_STALENESS=300)

    assert call(late, f"Bearer {pair['access_token']}").status_code == 401


def test_what_was_ended_stays_ended_when_the_life_of_tokens_is_shortened(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    """A revocation must outlive tokens from before the change of the setting."""
    before = make_app(ACTIVEPIECES_ACCESS_TOKEN_TTL=7200)
    program = Program.registered(before)
    pairs = [program.connects(Person(before, name)) for name in ("bob", "carol")]

    after = replace(program, app=make_app(tables=False, ACTIVEPIECES_ACCESS_TOKEN_TTL=1000))
    after.revokes(pairs[0]["access_token"])
    after.revokes(pairs[1]["refresh_token"])
    clock.advance(3600)
    after.app.test_cli_runner().invoke(args=["activepieces", "prune"])

    assert [after.calls(pair["access_token"]).status_code for pair in pairs] == [401, 401]


def test_other_tokens_live_on_when_one_is_ended(
    app: Flask, program: Program, bob: Person, alice: Person
) -> None:
    ended, other = program.connects(bob), program.connects(alice)

    program.revokes(ended["refresh_token"])

    assert program.calls(other["access_token"]).status_code == 200
    assert [row["subject"].partition(":")[0] for row in rows_of(app, "revocations")] == ["family"]


# The copy in memory misses no revocation, whatever clocks and transactions do


@pytest.mark.parametrize("step", [11, 61, 1800])
def test_a_clock_that_is_set_back_hides_no_revocation_from_the_copy(
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

    refused(program.calls(pair["access_token"]), "The access token was revoked.")


def test_a_clock_that_is_set_back_by_an_hour_has_the_copy_loaded_at_once(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    """Else nothing would be loaded until the clock is where it was, an hour later."""
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program = Program.registered(app)
    pair = program.connects(Person(app, "bob"))
    clock.advance(hours=1, seconds=-20)
    assert program.calls(pair["access_token"]).status_code == 200

    clock.advance(hours=-1)
    program.revokes(pair["refresh_token"])

    refused(program.calls(pair["access_token"]), "The access token was revoked.")


def test_the_copy_learns_of_a_transaction_that_took_minutes_to_commit(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    program = Program.registered(app)
    token = program.connects(Person(app, "bob"))["access_token"]
    (family,) = rows_of(app, "token_families")
    began = int(clock.now)

    def revoke_slowly(transaction: Transaction) -> None:
        revocations.add(transaction, revocations.family(family["id"]), now=began)
        clock.advance(180)
        assert program.calls(token).status_code == 200

    with app.app_context():
        get_state().database.run_in_transaction(revoke_slowly)
    clock.advance(10)

    refused(program.calls(token), "The access token was revoked.")


@pytest.mark.parametrize("behind", [60, 61, 90])
def test_the_copy_learns_of_what_a_machine_with_a_slow_clock_revoked(
    make_app: MakeApp, clock: StoppedClock, behind: int
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    slow = make_app(tables=False, clock=StoppedClock(clock.now - behind))
    program = Program.registered(app)
    pair = program.connects(Person(app, "bob"))
    assert program.calls(pair["access_token"]).status_code == 200

    replace(program, app=slow).revokes(pair["refresh_token"])
    clock.advance(10)

    refused(program.calls(pair["access_token"]), "The access token was revoked.")


# While the database is away nothing is known about a token, so nothing bad is said of it


def unavailable(response: TestResponse) -> None:
    assert answer_of(response, 503)["error"] == "temporarily_unavailable"
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in response.headers


def test_a_token_that_cannot_be_checked_is_no_bad_token(app: Flask, token: str) -> None:
    with database_away(app):
        unavailable(call(app, f"Bearer {token}"))

    assert call(app, f"Bearer {token}").status_code == 200


def test_a_bad_token_is_bad_whether_the_database_is_there_or_not(app: Flask, token: str) -> None:
    with database_away(app):
        refused(call(app, f"Bearer {token}x"), "The access token is not valid here.")


def test_a_fresh_copy_answers_while_the_database_is_away_and_an_old_one_does_not(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=10)
    token = Program.registered(app).connects(Person(app, "bob"))["access_token"]
    call(app, f"Bearer {token}")

    with database_away(app):
        clock.advance(9)
        assert call(app, f"Bearer {token}").status_code == 200
        clock.advance(1)
        unavailable(call(app, f"Bearer {token}"))
