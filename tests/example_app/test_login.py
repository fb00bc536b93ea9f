"""Login: attempts are limited, and the response time does not reveal which users exist."""

from __future__ import annotations

import pytest
from flask import Flask

from example_app.login_limit import ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_USER, WINDOW_SECONDS, LoginLimit
from tests.example_app.actors import Person, Program
from tests.support.clock import StoppedClock
from tests.support.password_hashes import count_password_hashes
from tests.support.storage import statements_of

ADMIN = "admin@acme.test"


@pytest.mark.parametrize("email", ["unknown@acme.test", "", "admin@acme.test\0"])
def test_unknown_user_takes_as_long_as_a_wrong_password(tasklane: Flask, visitor: Person, email: str) -> None:
    with statements_of(tasklane) as for_known:
        known = count_password_hashes(lambda: visitor.sign_in(ADMIN, "wrong"))
    with statements_of(tasklane) as for_unknown:
        unknown = count_password_hashes(lambda: visitor.sign_in(email, "wrong"))

    assert known == unknown == 1
    assert for_known == for_unknown


@pytest.mark.parametrize("email", [ADMIN, "unknown@acme.test"])
def test_after_five_failures_further_attempts_are_rejected(visitor: Person, email: str) -> None:
    for _ in range(ATTEMPTS_PER_USER):
        assert visitor.sign_in(email, "wrong").status_code == 400

    for password in ("wrong", "demo"):  # the correct one too, or guessing could continue
        response = visitor.sign_in(email, password)
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= WINDOW_SECONDS
        assert "Too many attempts" in response.text


def test_limit_does_not_affect_other_users_and_other_addresses(tasklane: Flask, visitor: Person) -> None:
    for _ in range(ATTEMPTS_PER_USER + 1):
        visitor.sign_in(ADMIN, "wrong")

    assert visitor.sign_in("member@acme.test", "demo").status_code == 302
    elsewhere = tasklane.test_client().post(
        "/login", data={"email": ADMIN, "password": "demo"}, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}
    )
    assert elsewhere.status_code == 302


def test_correct_password_resets_the_limit_of_the_user(visitor: Person) -> None:
    for _ in range(2):
        for _ in range(ATTEMPTS_PER_USER - 1):
            assert visitor.sign_in(ADMIN, "wrong").status_code == 400
        assert visitor.sign_in(ADMIN, "demo").status_code == 302


def test_wait_ends_after_a_minute() -> None:
    clock = StoppedClock(0)
    limit = LoginLimit(clock)
    waits = [limit.count_attempt("192.0.2.1", ADMIN) for _ in range(ATTEMPTS_PER_USER + 1)]
    assert waits == [0] * ATTEMPTS_PER_USER + [WINDOW_SECONDS]

    clock.advance(WINDOW_SECONDS - 0.5)
    assert limit.count_attempt("192.0.2.1", ADMIN) == 1
    clock.advance(0.5)
    assert limit.count_attempt("192.0.2.1", ADMIN) == 0


def test_attempts_of_one_address_on_many_users_are_limited() -> None:
    limit = LoginLimit(StoppedClock(0))
    for number in range(ATTEMPTS_PER_ADDRESS):
        assert limit.count_attempt("192.0.2.1", f"user-{number}@acme.test") == 0
        limit.reset_user("192.0.2.1", f"user-{number}@acme.test")

    assert limit.count_attempt("192.0.2.1", "another@acme.test") == WINDOW_SECONDS
    assert limit.count_attempt("192.0.2.2", "another@acme.test") == 0


def test_counters_are_removed_after_a_minute() -> None:
    clock = StoppedClock(0)
    limit = LoginLimit(clock)
    for number in range(100):
        limit.count_attempt("192.0.2.1", f"user-{number}@acme.test")
    clock.advance(WINDOW_SECONDS)

    limit.count_attempt("192.0.2.1", ADMIN)

    assert len(vars(limit)["_counters"]) == 2


def test_the_login_page_says_for_which_app_one_signs_in(tasklane: Flask, visitor: Person) -> None:
    request = Program.register(tasklane).authorize_url()

    page = visitor.get_page(request)
    form = page.form("password")
    after_a_wrong_password = visitor.submit(form, email=ADMIN, password="wrong")

    assert "Sign in to continue to Test program ." in page.text
    assert "Test program" in after_a_wrong_password.text
    assert "Sign in to continue" not in visitor.get_page("/login").text
