"""Tokens are cached and renewed; rejected sign-ins are not repeated."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flask_activepieces.api_client.errors import AuthenticationFailed, CallTimedOut, ConnectionFailed
from flask_activepieces.api_client.token_cache import TokenCache

DAY = 24 * 3600


class SignIns:
    """Issues and counts tokens, and sets the clock of the cache."""

    def __init__(self) -> None:
        self.now = 0.0
        self.count = 0
        self.failure: Exception | None = None
        self.cache = TokenCache(lambda: self.now)

    def sign_in(self) -> str:
        if self.failure:
            raise self.failure
        self.count += 1
        return f"token-{self.count}"

    def token(self, key: str = "ada", *, rejected: str | None = None) -> str:
        return self.cache.get(key, self.sign_in, lock_timeout=1, rejected_token=rejected)


@pytest.fixture
def sign_ins() -> SignIns:
    return SignIns()


def test_a_token_is_cached_for_seven_days_less_an_hour(sign_ins: SignIns) -> None:
    first = sign_ins.token()

    sign_ins.now = 7 * DAY - 3601
    assert sign_ins.token() == first
    sign_ins.now = 7 * DAY - 3600
    assert sign_ins.token() == "token-2"


def test_each_credential_has_its_own_token(sign_ins: SignIns) -> None:
    assert sign_ins.token("ada") != sign_ins.token("bob")


def test_a_rejected_token_is_replaced_once(sign_ins: SignIns) -> None:
    old = sign_ins.token()

    fresh = sign_ins.token(rejected=old)

    assert fresh != old
    assert sign_ins.token(rejected=old) == fresh  # by another thread, whose call was rejected at the same time
    assert sign_ins.count == 2


def test_threads_wait_for_the_one_that_signs_in(sign_ins: SignIns) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> str:
        begun.set()
        assert go_on.wait(5)
        return sign_ins.sign_in()

    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(lambda: sign_ins.cache.get("ada", slowly, lock_timeout=5))
        assert begun.wait(5)
        others = [threads.submit(lambda: sign_ins.cache.get("ada", slowly, lock_timeout=5)) for _ in range(7)]
        go_on.set()
        tokens = {each.result(5) for each in [first, *others]}

    assert tokens == {"token-1"}


def test_waiting_for_a_sign_in_times_out(sign_ins: SignIns) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hang() -> str:
        begun.set()
        go_on.wait(5)
        return "late"

    with ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: sign_ins.cache.get("ada", hang, lock_timeout=5))
        assert begun.wait(5)
        with pytest.raises(CallTimedOut):
            sign_ins.cache.get("ada", sign_ins.sign_in, lock_timeout=0.01)
        go_on.set()


def test_a_rejected_sign_in_is_not_repeated_for_a_minute(sign_ins: SignIns) -> None:
    sign_ins.failure = AuthenticationFailed("sign_in", status=401, code="INVALID_CREDENTIALS")
    with pytest.raises(AuthenticationFailed):
        sign_ins.token()
    sign_ins.failure = None

    with pytest.raises(AuthenticationFailed) as again:
        sign_ins.token()
    assert again.value.code == "INVALID_CREDENTIALS"
    assert sign_ins.count == 0

    sign_ins.now = 60
    assert sign_ins.token() == "token-1"


def test_a_sign_in_with_another_error_is_repeated_at_once(sign_ins: SignIns) -> None:
    sign_ins.failure = ConnectionFailed("sign_in", detail="refused")
    with pytest.raises(ConnectionFailed):
        sign_ins.token()
    sign_ins.failure = None

    assert sign_ins.token() == "token-1"


def test_the_least_recently_used_token_is_dropped(sign_ins: SignIns) -> None:
    first = sign_ins.token("first")
    for number in range(999):
        sign_ins.token(f"user-{number}")
    assert sign_ins.token("first") == first  # used now, so that another one is dropped

    sign_ins.token("one more")

    assert sign_ins.token("first") == first
    assert sign_ins.token("user-0") == "token-1002"


def test_the_repr_shows_no_token(sign_ins: SignIns) -> None:
    sign_ins.token()

    assert "token-1" not in repr(vars(sign_ins.cache))
