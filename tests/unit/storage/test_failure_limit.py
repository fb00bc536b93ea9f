"""The limit of failed attempts: twenty per minute and key, in every storage."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask_limiter import Limiter
from redis import Redis

from flask_activepieces.storage.failure_limit import (
    _MAX_KEYS,
    MAX_FAILURES,
    WINDOW,
    FailureLimiter,
    FallbackLimiter,
    FlaskLimiterStorage,
    InMemoryLimiter,
    RedisLimiter,
    make_failure_limiter,
)
from tests.support.documents import DOCS
from tests.support.requirements import require

NOW = 1_800_000_000 - 1_800_000_000 % WINDOW


def spent(limiter: FailureLimiter, times: int, *, key: str = "key", now: int = NOW) -> list[bool]:
    return [limiter.record_failure(key, now=now) for _ in range(times)]


def flask_limiter_limiter() -> FailureLimiter:
    app = Flask("host")
    limiter = Limiter(lambda: "", app=app, storage_uri="memory://")
    return FlaskLimiterStorage.from_flask_limiter(limiter)


@pytest.fixture
def redis() -> Iterator[Any]:
    client = Redis.from_url(require("redis"))
    yield client
    for key in client.scan_iter("activepieces:failures:*"):
        client.delete(key)
    client.close()


@pytest.fixture(params=["local", "limiter", pytest.param("redis", marks=pytest.mark.redis), "patient"])
def limiter(request: pytest.FixtureRequest) -> FailureLimiter:
    """Every kind of limiter."""
    if request.param == "redis":
        return RedisLimiter(request.getfixturevalue("redis"))
    if request.param == "limiter":
        return flask_limiter_limiter()
    return InMemoryLimiter() if request.param == "local" else FallbackLimiter(lambda: None)


def test_twenty_failures_are_within_the_limit(limiter: FailureLimiter) -> None:
    assert spent(limiter, MAX_FAILURES + 3) == [True] * MAX_FAILURES + [False] * 3


def test_the_documented_numbers_match_the_code() -> None:
    page = (DOCS / "operations.md").read_text()
    (section,) = re.findall(r"## Failed attempts\n(.+?)\n## ", page, re.DOTALL)
    text = " ".join(section.split())

    assert f"An IP address may fail {MAX_FAILURES} times a minute" in text
    assert f"`Retry-After: {WINDOW}`" in text
    assert f"up to {2 * MAX_FAILURES} failures in a row" in text
    assert f"keeps {_MAX_KEYS:,} pairs" in text
    assert (MAX_FAILURES, WINDOW) == (20, 60), "docs/security.md and docs/errors.md also contain these numbers"


def test_the_limit_is_per_clock_minute() -> None:
    """So up to twice as many consecutive failures are possible around the end of a minute."""
    limiter = InMemoryLimiter()

    assert all(spent(limiter, MAX_FAILURES, now=NOW + WINDOW - 1))
    assert spent(limiter, MAX_FAILURES + 1, now=NOW + WINDOW) == [True] * MAX_FAILURES + [False]


def test_each_key_has_its_own_limit(limiter: FailureLimiter) -> None:
    spent(limiter, MAX_FAILURES + 1)

    for key in ("another", "KEY", "key ", "", "é\x00\ud7ff", "k" * 100_000):
        assert limiter.record_failure(key, now=NOW)


def test_the_limit_resets_with_the_next_minute() -> None:
    limiter = InMemoryLimiter()
    spent(limiter, MAX_FAILURES + 1, now=NOW)

    assert spent(limiter, 1, now=NOW + WINDOW - 1) == [False]
    assert spent(limiter, 1, now=NOW + WINDOW) == [True]


@pytest.mark.redis
def test_counts_in_redis_expire(redis: Any) -> None:
    RedisLimiter(redis).record_failure("key", now=NOW)

    (slot,) = redis.scan_iter("activepieces:failures:*")

    assert 0 < redis.ttl(slot) <= 2 * WINDOW
    assert b"key" not in slot, "the key in Redis must not contain user input"


def test_no_count_is_lost_between_threads() -> None:
    limiter = InMemoryLimiter()

    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: limiter.record_failure("key", now=NOW), range(400)))

    assert sum(allowed) == MAX_FAILURES


def test_many_keys_cannot_fill_the_memory() -> None:
    limiter = InMemoryLimiter()
    tracemalloc.start()
    try:
        for number in range(30_000):
            limiter.record_failure(f"key {number}", now=NOW)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 8_000_000


def test_long_keys_cannot_fill_the_memory() -> None:
    """A client_id may be as long as a request, 64 KiB, and there may be ten thousand of them."""
    limiter = InMemoryLimiter()
    tracemalloc.start()
    try:
        for number in range(200):
            limiter.record_failure(f"{number}" + "k" * 60_000, now=NOW)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 500_000


def test_new_keys_do_not_reset_the_count_of_an_active_key() -> None:
    limiter = InMemoryLimiter()
    spent(limiter, MAX_FAILURES)
    for number in range(9_000):
        limiter.record_failure(f"other {number}", now=NOW)

    assert spent(limiter, 1) == [False]


class BrokenLimiter:
    """A limiter whose storage is unreachable."""

    def record_failure(self, key: str, *, now: int) -> bool:
        raise ConnectionError("the redis password is hunter2")


def test_without_its_storage_a_process_counts_on_its_own(caplog: pytest.LogCaptureFixture) -> None:
    limiter = FallbackLimiter(BrokenLimiter)

    assert spent(limiter, MAX_FAILURES + 1) == [True] * MAX_FAILURES + [False]
    assert "hunter2" not in caplog.text
    assert "ConnectionError" in caplog.text


def test_without_the_hosts_limiter_a_process_counts_on_its_own() -> None:
    def broken() -> FailureLimiter:
        raise ImportError("no limits")

    assert spent(FallbackLimiter(broken), MAX_FAILURES + 1) == [True] * MAX_FAILURES + [False]


def test_the_hosts_limiter_is_used_in_any_order_of_setup() -> None:
    app = Flask("host")
    ours = make_failure_limiter(app.extensions, redis_url=None)
    limiter = Limiter(lambda: "", app=app, storage_uri="memory://")

    spent(ours, MAX_FAILURES)

    assert not FlaskLimiterStorage.from_flask_limiter(limiter).record_failure("key", now=NOW), (
        "they must share the count"
    )


class SwitchedOff:
    """Flask-Limiter with RATELIMIT_ENABLED = False."""

    enabled = False


def test_a_disabled_limiter_is_not_used() -> None:
    app = Flask("host")
    app.extensions["limiter"] = {SwitchedOff()}

    assert spent(make_failure_limiter(app.extensions, redis_url=None), MAX_FAILURES + 1)[-1] is False


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock"])
def test_a_missing_redis_causes_no_error(url: str) -> None:
    assert spent(make_failure_limiter(Flask("host").extensions, redis_url=url), 2) == [True, True]


def test_a_key_is_blocked_from_the_twentieth_failure_to_the_next_minute(limiter: FailureLimiter) -> None:
    """For passwords, which can be guessed. Asking counts nothing."""
    spent(limiter, MAX_FAILURES - 1, key="bob")
    assert not any(limiter.is_blocked("bob", now=NOW) for _ in range(3))

    spent(limiter, 1, key="bob")

    assert limiter.is_blocked("bob", now=NOW)
    assert not limiter.is_blocked("carol", now=NOW)


def test_a_block_ends_with_its_minute() -> None:
    limiter = InMemoryLimiter()
    spent(limiter, MAX_FAILURES)

    assert limiter.is_blocked("key", now=NOW + WINDOW - 1)
    assert not limiter.is_blocked("key", now=NOW + WINDOW)


def test_without_its_shared_storage_a_block_is_known_to_the_process() -> None:
    def unreachable() -> FailureLimiter:
        raise ConnectionError

    limiter = FallbackLimiter(unreachable)
    spent(limiter, MAX_FAILURES)

    assert limiter.is_blocked("key", now=NOW)
