"""Signing in to Tasklane: a guesser has to wait, and learns nothing from the time that an answer takes."""

from __future__ import annotations

import pytest
from flask import Flask

from example_app.login_limit import (
    ATTEMPTS_PER_ADDRESS,
    ATTEMPTS_PER_USER,
    WINDOW_SECONDS,
    LoginLimit,
)
from tests.example_app.actors import Person
from tests.support.clock import StoppedClock
from tests.support.password_hashes import count_password_hashes
from tests.support.storage import statements_of

ADMIN = "admin@acme.test"


@pytest.mark.parametrize("email", ["nobody@acme.test", "", "admin@acme.test\0"])
def test_an_unknown_user_costs_what_a_wrong_password_costs(
    tasklane: Flask, stranger: Person, email: str
) -> None:
    with statements_of(tasklane) as for_known:
        known = count_password_hashes(lambda: stranger.sign_in(ADMIN, "wrong"))
    with statements_of(tasklane) as for_unknown:
        unknown = count_password_hashes(lambda: stranger.sign_in(email, "wrong"))

    assert known == unknown == 1
    assert for_known == for_unknown


@pytest.mark.parametrize("email", [ADMIN, "nobody@acme.test"])
def test_after_five_failures_a_guesser_has_to_wait(stranger: Person, email: str) -> None:
    for _ in range(ATTEMPTS_PER_USER):
        assert stranger.sign_in(email, "wrong").status_code == 400

    for password in ("wrong", "demo"):  # the right one too, or guessing would go on
        refused = stranger.sign_in(email, password)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= WINDOW_SECONDS
        assert "Too many attempts" in refused.text


def test_another_user_and_another_address_need_not_wait(tasklane: Flask, stranger: Person) -> None:
    for _ in range(ATTEMPTS_PER_USER + 1):
        stranger.sign_in(ADMIN, "wrong")

    assert stranger.sign_in("member@acme.test", "demo").status_code == 302
    elsewhere = tasklane.test_client().post(
        "/login",
        data={"email": ADMIN, "password": "demo"},
        environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert elsewhere.status_code == 302


def test_who_signs_in_begins_again(stranger: Person) -> None:
    for _ in range(2):
        for _ in range(ATTEMPTS_PER_USER - 1):
            assert stranger.sign_in(ADMIN, "wrong").status_code == 400
        assert stranger.sign_in(ADMIN, "demo").status_code == 302


def test_the_wait_ends_with_the_minute() -> None:
    clock = StoppedClock(0)
    limit = LoginLimit(clock)
    waits = [limit.seconds_to_wait("192.0.2.1", ADMIN) for _ in range(ATTEMPTS_PER_USER + 1)]
    assert waits == [0] * ATTEMPTS_PER_USER + [WINDOW_SECONDS]

    clock.advance(WINDOW_SECONDS - 0.5)
    assert limit.seconds_to_wait("192.0.2.1", ADMIN) == 1
    clock.advance(0.5)
    assert limit.seconds_to_wait("192.0.2.1", ADMIN) == 0


def test_one_address_cannot_try_one_password_on_many_users() -> None:
    limit = LoginLimit(StoppedClock(0))
    for number in range(ATTEMPTS_PER_ADDRESS):
        assert limit.seconds_to_wait("192.0.2.1", f"user-{number}@acme.test") == 0
        limit.forget("192.0.2.1", f"user-{number}@acme.test")

    assert limit.seconds_to_wait("192.0.2.1", "another@acme.test") == WINDOW_SECONDS
    assert limit.seconds_to_wait("192.0.2.2", "another@acme.test") == 0


def test_counts_are_not_kept_longer_than_the_minute() -> None:
    clock = StoppedClock(0)
    limit = LoginLimit(clock)
    for number in range(100):
        limit.seconds_to_wait("192.0.2.1", f"user-{number}@acme.test")
    clock.advance(WINDOW_SECONDS)

    limit.seconds_to_wait("192.0.2.1", ADMIN)

    assert len(vars(limit)["_counts"]) == 2
