"""Signing in too often on the stand-in."""

from __future__ import annotations

from typing import Any

from tests.support.clock import StoppedClock
from tests.support.standin import Standin


def sign_in(standin: Standin, password: str = "wrong") -> Any:  # noqa: S107 - made up
    body = {"email": standin.server.email, "password": password}
    return standin.ask("POST", "/authentication/sign-in", body)


def test_an_excess_attempt_is_rejected_with_a_wait_time(standin: Standin, clock: StoppedClock) -> None:
    for left in range(49, -1, -1):
        answer = sign_in(standin)
        assert answer.status_code == 401
        assert answer.headers["x-ratelimit-remaining"] == str(left)
    clock.advance(4)

    refused = sign_in(standin, standin.server.password)

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "56"
    assert refused.get_json()["message"] == "Rate limit exceeded, retry in 56 seconds"


def test_attempts_are_allowed_again_after_a_minute(standin: Standin, clock: StoppedClock) -> None:
    for _ in range(51):
        sign_in(standin)
    clock.advance(60)

    assert sign_in(standin, standin.server.password).status_code == 200


def test_sign_up_has_a_separate_limit(standin: Standin) -> None:
    for _ in range(51):
        sign_in(standin)

    assert standin.ask("POST", "/authentication/sign-up", {}).status_code == 400
