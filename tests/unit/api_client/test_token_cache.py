"""Sign-ins: one at a time, kept, renewed, and not repeated when they were refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flask_activepieces.api_client.errors import (
    AuthenticationFailed,
    CallTimedOut,
    ConnectionFailed,
)
from flask_activepieces.api_client.token_cache import TokenCache

DAY = 24 * 3600


class Desk:
    """Where tokens come from: it counts them, and moves the clock of the sessions."""

    def __init__(self) -> None:
        self.now = 0.0
        self.given = 0
        self.failure: Exception | None = None
        self.sessions = TokenCache(lambda: self.now)

    def sign_in(self) -> str:
        if self.failure:
            raise self.failure
        self.given += 1
        return f"token-{self.given}"

    def token(self, key: str = "ada", *, stale: str | None = None) -> str:
        return self.sessions.token(key, self.sign_in, wait=1, stale=stale)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_token_is_kept_for_all_but_the_last_hour_of_seven_days(desk: Desk) -> None:
    first = desk.token()

    desk.now = 7 * DAY - 3601
    assert desk.token() == first
    desk.now = 7 * DAY - 3600
    assert desk.token() == "token-2"


def test_each_credential_has_its_own(desk: Desk) -> None:
    assert desk.token("ada") != desk.token("bob")


def test_a_token_that_was_refused_is_replaced_once(desk: Desk) -> None:
    old = desk.token()

    fresh = desk.token(stale=old)

    assert fresh != old
    assert (
        desk.token(stale=old) == fresh
    )  # for another thread, whose call was refused at the same time
    assert desk.given == 2


def test_threads_wait_for_the_one_that_signs_in(desk: Desk) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> str:
        begun.set()
        assert go_on.wait(5)
        return desk.sign_in()

    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(lambda: desk.sessions.token("ada", slowly, wait=5))
        assert begun.wait(5)
        others = [
            threads.submit(lambda: desk.sessions.token("ada", slowly, wait=5)) for _ in range(7)
        ]
        go_on.set()
        tokens = {each.result(5) for each in [first, *others]}

    assert tokens == {"token-1"}


def test_nobody_waits_longer_than_allowed(desk: Desk) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hang() -> str:
        begun.set()
        go_on.wait(5)
        return "late"

    with ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: desk.sessions.token("ada", hang, wait=5))
        assert begun.wait(5)
        with pytest.raises(CallTimedOut):
            desk.sessions.token("ada", desk.sign_in, wait=0.01)
        go_on.set()


def test_a_refused_sign_in_is_not_tried_again_for_a_minute(desk: Desk) -> None:
    desk.failure = AuthenticationFailed("sign_in", status=401, code="INVALID_CREDENTIALS")
    with pytest.raises(AuthenticationFailed):
        desk.token()
    desk.failure = None

    with pytest.raises(AuthenticationFailed) as again:
        desk.token()
    assert again.value.code == "INVALID_CREDENTIALS"
    assert desk.given == 0

    desk.now = 60
    assert desk.token() == "token-1"


def test_a_sign_in_that_failed_otherwise_is_tried_again_at_once(desk: Desk) -> None:
    desk.failure = ConnectionFailed("sign_in", detail="refused")
    with pytest.raises(ConnectionFailed):
        desk.token()
    desk.failure = None

    assert desk.token() == "token-1"


def test_the_one_longest_unused_makes_room(desk: Desk) -> None:
    first = desk.token("first")
    for number in range(999):
        desk.token(f"user-{number}")
    assert desk.token("first") == first  # used just now, so that another one goes

    desk.token("one more")

    assert desk.token("first") == first
    assert desk.token("user-0") == "token-1002"


def test_no_session_shows_its_token(desk: Desk) -> None:
    desk.token()

    assert "token-1" not in repr(vars(desk.sessions))
