"""The limit of failed attempts: twenty a minute and key, wherever it is counted."""

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
    RecordFailure,
    in_flask_limiter,
    in_redis,
    make_failure_limiter,
)
from tests.support.documents import DOCS
from tests.support.requirements import require

NOW = 1_800_000_000 - 1_800_000_000 % WINDOW


def spent(record: RecordFailure, times: int, *, key: str = "key", now: int = NOW) -> list[bool]:
    return [record(key, now) for _ in range(times)]


def recorded_in_flask_limiter() -> RecordFailure:
    app = Flask("host")
    limiter = Limiter(lambda: "", app=app, storage_uri="memory://")
    return in_flask_limiter(limiter)


@pytest.fixture
def redis() -> Iterator[Any]:
    client = Redis.from_url(require("redis"))
    yield client
    for key in client.scan_iter("activepieces:failures:*"):
        client.delete(key)
    client.close()


@pytest.fixture(params=["local", "limiter", pytest.param("redis", marks=pytest.mark.redis)])
def record(request: pytest.FixtureRequest) -> RecordFailure:
    """Each kind that there is."""
    if request.param == "redis":
        return in_redis(request.getfixturevalue("redis"))
    return FailureLimiter().record_failure if request.param == "local" else recorded_in_flask_limiter()


def test_twenty_failures_are_free_and_no_more(record: RecordFailure) -> None:
    assert spent(record, MAX_FAILURES + 3) == [True] * MAX_FAILURES + [False] * 3


def test_the_documented_numbers_are_those_of_the_code() -> None:
    page = (DOCS / "operations.md").read_text()
    (section,) = re.findall(r"## Failed attempts\n(.+?)\n## ", page, re.DOTALL)
    text = " ".join(section.split())

    assert f"An IP address may fail {MAX_FAILURES} times a minute" in text
    assert f"`Retry-After: {WINDOW}`" in text
    assert f"up to {2 * MAX_FAILURES} failures in a row" in text
    assert f"keeps {_MAX_KEYS:,} pairs" in text
    assert (MAX_FAILURES, WINDOW) == (20, 60), "docs/security.md and docs/errors.md name them, too"


def test_a_minute_is_one_of_the_clock() -> None:
    """So up to twice as many failures in a row pass around its end."""
    limiter = FailureLimiter()

    assert all(spent(limiter.record_failure, MAX_FAILURES, now=NOW + WINDOW - 1))
    assert spent(limiter.record_failure, MAX_FAILURES + 1, now=NOW + WINDOW) == [True] * MAX_FAILURES + [False]


def test_each_key_has_its_own(record: RecordFailure) -> None:
    spent(record, MAX_FAILURES + 1)

    for key in ("another", "KEY", "key ", "", "é\x00\ud7ff", "k" * 100_000):
        assert record(key, NOW)


def test_the_next_minute_begins_anew() -> None:
    limiter = FailureLimiter()
    spent(limiter.record_failure, MAX_FAILURES + 1, now=NOW)

    assert spent(limiter.record_failure, 1, now=NOW + WINDOW - 1) == [False]
    assert spent(limiter.record_failure, 1, now=NOW + WINDOW) == [True]


@pytest.mark.redis
def test_counts_in_redis_go_away_by_themselves(redis: Any) -> None:
    in_redis(redis)("key", NOW)

    (slot,) = redis.scan_iter("activepieces:failures:*")

    assert 0 < redis.ttl(slot) <= 2 * WINDOW
    assert b"key" not in slot, "a stranger's text is no key"


def test_no_count_is_lost_between_threads() -> None:
    limiter = FailureLimiter()

    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: limiter.record_failure("key", now=NOW), range(400)))

    assert sum(allowed) == MAX_FAILURES


def test_strangers_cannot_fill_the_memory_with_many_keys() -> None:
    limiter = FailureLimiter()
    tracemalloc.start()
    try:
        for number in range(30_000):
            limiter.record_failure(f"key {number}", now=NOW)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 8_000_000


def test_strangers_cannot_fill_the_memory_with_long_keys() -> None:
    """A client_id may be as long as a request: 64 KiB, ten thousand times."""
    limiter = FailureLimiter()
    tracemalloc.start()
    try:
        for number in range(200):
            limiter.record_failure(f"{number}" + "k" * 60_000, now=NOW)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 500_000


def test_a_guesser_is_not_forgotten_because_of_others() -> None:
    limiter = FailureLimiter()
    spent(limiter.record_failure, MAX_FAILURES)
    for number in range(9_000):
        limiter.record_failure(f"other {number}", now=NOW)

    assert spent(limiter.record_failure, 1) == [False]


def broken_redis(key: str, now: int) -> bool:
    raise ConnectionError("the redis password is hunter2")


def test_a_count_that_cannot_be_kept_elsewhere_is_kept_here(caplog: pytest.LogCaptureFixture) -> None:
    limiter = FailureLimiter(lambda: broken_redis)

    assert spent(limiter.record_failure, MAX_FAILURES + 1) == [True] * MAX_FAILURES + [False]
    assert "hunter2" not in caplog.text
    assert "ConnectionError" in caplog.text


def test_a_host_whose_limiter_cannot_be_found_is_counted_here() -> None:
    def broken() -> RecordFailure:
        raise ImportError("no limits")

    assert spent(FailureLimiter(broken).record_failure, MAX_FAILURES + 1) == [True] * MAX_FAILURES + [False]


def test_the_hosts_limiter_is_used_whenever_it_was_set_up() -> None:
    app = Flask("host")
    ours = make_failure_limiter(app.extensions, redis_url=None)
    limiter = Limiter(lambda: "", app=app, storage_uri="memory://")

    spent(ours.record_failure, MAX_FAILURES)

    assert not in_flask_limiter(limiter)("key", NOW), "they count in one place"


class SwitchedOff:
    """Flask-Limiter with RATELIMIT_ENABLED = False."""

    enabled = False


def test_a_limiter_that_is_switched_off_is_not_used() -> None:
    app = Flask("host")
    app.extensions["limiter"] = {SwitchedOff()}

    assert spent(make_failure_limiter(app.extensions, redis_url=None).record_failure, MAX_FAILURES + 1)[-1] is False


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock"])
def test_a_redis_that_is_not_there_costs_nobody_an_answer(url: str) -> None:
    assert spent(make_failure_limiter(Flask("host").extensions, redis_url=url).record_failure, 2) == [True, True]
