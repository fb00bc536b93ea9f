"""The limit of failed attempts: twenty per minute and key, in every storage."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask_limiter import Limiter
from redis import Redis

from flask_activepieces.storage.failure_limit import MAX_FAILURES, FailureLimiter
from flask_activepieces.storage.rate_limit import (
    _MAX_KEYS,
    WINDOW,
    Hit,
    RateLimiter,
    address_key,
    in_flask_limiter,
    in_redis,
    make_rate_limiter,
)
from tests.support.documents import DOCS
from tests.support.requirements import require

RecordFailure = Callable[[str, int], bool]

NOW = 1_800_000_000 - 1_800_000_000 % WINDOW


def spent(record: RecordFailure, times: int, *, key: str = "key", now: int = NOW) -> list[bool]:
    return [record(key, now) for _ in range(times)]


def failures_in(hit: Hit) -> RecordFailure:
    return FailureLimiter(RateLimiter(lambda: hit)).record_failure


def recorded_in_flask_limiter() -> RecordFailure:
    app = Flask("host")
    limiter = Limiter(lambda: "", app=app, storage_uri="memory://")
    return failures_in(in_flask_limiter(limiter))


def local_limiter() -> FailureLimiter:
    return FailureLimiter(RateLimiter())


@pytest.fixture
def redis() -> Iterator[Any]:
    client = Redis.from_url(require("redis"))
    yield client
    for key in client.scan_iter("activepieces:hits:*"):
        client.delete(key)
    client.close()


@pytest.fixture(params=["local", "limiter", pytest.param("redis", marks=pytest.mark.redis)])
def record(request: pytest.FixtureRequest) -> RecordFailure:
    """The method of every kind of limiter."""
    if request.param == "redis":
        return failures_in(in_redis(request.getfixturevalue("redis")))
    return local_limiter().record_failure if request.param == "local" else recorded_in_flask_limiter()


def test_twenty_failures_are_within_the_limit(record: RecordFailure) -> None:
    assert spent(record, MAX_FAILURES + 3) == [True] * MAX_FAILURES + [False] * 3


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
    limiter = local_limiter()

    assert all(spent(limiter.record_failure, MAX_FAILURES, now=NOW + WINDOW - 1))
    assert spent(limiter.record_failure, MAX_FAILURES + 1, now=NOW + WINDOW) == [True] * MAX_FAILURES + [False]


def test_each_key_has_its_own_limit(record: RecordFailure) -> None:
    spent(record, MAX_FAILURES + 1)

    for key in ("another", "KEY", "key ", "", "é\x00\ud7ff", "k" * 100_000):
        assert record(key, NOW)


def test_the_limit_resets_with_the_next_minute() -> None:
    limiter = local_limiter()
    spent(limiter.record_failure, MAX_FAILURES + 1, now=NOW)

    assert spent(limiter.record_failure, 1, now=NOW + WINDOW - 1) == [False]
    assert spent(limiter.record_failure, 1, now=NOW + WINDOW) == [True]


@pytest.mark.redis
def test_counts_in_redis_expire(redis: Any) -> None:
    in_redis(redis)("key", NOW, MAX_FAILURES)

    (slot,) = redis.scan_iter("activepieces:hits:*")

    assert 0 < redis.ttl(slot) <= 2 * WINDOW
    assert b"key" not in slot, "the key in Redis must not contain user input"


def test_no_count_is_lost_between_threads() -> None:
    limiter = local_limiter()

    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: limiter.record_failure("key", now=NOW), range(400)))

    assert sum(allowed) == MAX_FAILURES


def test_many_keys_cannot_fill_the_memory() -> None:
    limiter = local_limiter()
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
    limiter = local_limiter()
    tracemalloc.start()
    try:
        for number in range(200):
            limiter.record_failure(f"{number}" + "k" * 60_000, now=NOW)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 500_000


def test_new_keys_do_not_reset_the_count_of_an_active_key() -> None:
    limiter = local_limiter()
    spent(limiter.record_failure, MAX_FAILURES)
    for number in range(9_000):
        limiter.record_failure(f"other {number}", now=NOW)

    assert spent(limiter.record_failure, 1) == [False]


def broken_redis(key: str, now: int, limit: int) -> bool:
    raise ConnectionError("the redis password is hunter2")


def test_without_its_storage_a_process_counts_on_its_own(caplog: pytest.LogCaptureFixture) -> None:
    limiter = FailureLimiter(RateLimiter(lambda: broken_redis))

    assert spent(limiter.record_failure, MAX_FAILURES + 1) == [True] * MAX_FAILURES + [False]
    assert "hunter2" not in caplog.text
    assert "ConnectionError" in caplog.text


def test_without_the_hosts_limiter_a_process_counts_on_its_own() -> None:
    def broken() -> Hit:
        raise ImportError("no limits")

    assert spent(FailureLimiter(RateLimiter(broken)).record_failure, MAX_FAILURES + 1) == [True] * MAX_FAILURES + [
        False
    ]


def test_the_hosts_limiter_is_used_in_any_order_of_setup() -> None:
    app = Flask("host")
    ours = FailureLimiter(make_rate_limiter(app.extensions, redis_url=None))
    limiter = Limiter(lambda: "", app=app, storage_uri="memory://")

    spent(ours.record_failure, MAX_FAILURES)

    assert not in_flask_limiter(limiter)("key", NOW, MAX_FAILURES), "they must share the count"


class SwitchedOff:
    """Flask-Limiter with RATELIMIT_ENABLED = False."""

    enabled = False


def test_a_disabled_limiter_is_not_used() -> None:
    app = Flask("host")
    app.extensions["limiter"] = {SwitchedOff()}

    ours = FailureLimiter(make_rate_limiter(app.extensions, redis_url=None))

    assert spent(ours.record_failure, MAX_FAILURES + 1)[-1] is False


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock"])
def test_a_missing_redis_causes_no_error(url: str) -> None:
    ours = FailureLimiter(make_rate_limiter(Flask("host").extensions, redis_url=url))

    assert spent(ours.record_failure, 2) == [True, True]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("unix:", "unix:"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str | None, key: str) -> None:
    assert address_key(address) == key
