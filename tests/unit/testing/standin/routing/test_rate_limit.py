"""Signing in too often on the stand-in."""

from __future__ import annotations

from typing import Any

from tests.support.clock import StoppedClock
from tests.support.standin import Standin


def sign_in(standin: Standin, password: str = "wrong") -> Any:  # noqa: S107 - made up
    body = {"email": standin.server.email, "password": password}
    return standin.ask("POST", "/authentication/sign-in", body)


def test_one_attempt_too_many_is_told_to_wait(standin: Standin, clock: StoppedClock) -> None:
    for left in range(49, -1, -1):
        answer = sign_in(standin)
        assert answer.status_code == 401
        assert answer.headers["x-ratelimit-remaining"] == str(left)
    clock.advance(4)

    refused = sign_in(standin, standin.server.password)

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "56"
    assert refused.get_json()["message"] == "Rate limit exceeded, retry in 56 seconds"


def test_after_a_minute_one_may_try_again(standin: Standin, clock: StoppedClock) -> None:
    for _ in range(51):
        sign_in(standin)
    clock.advance(60)

    assert sign_in(standin, standin.server.password).status_code == 200


def test_signing_up_is_counted_for_itself(standin: Standin) -> None:
    for _ in range(51):
        sign_in(standin)

    assert standin.ask("POST", "/authentication/sign-up", {}).status_code == 400
