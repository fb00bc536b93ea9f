"""Limits failed attempts: a client that fails too often gets 429, and guessing shows in the log.

Only failures are counted, and only failures are answered with 429: correct credentials always pass, except for
passwords (see `FailureLimiter.is_blocked`). So a stranger
cannot lock anyone out, even at a shared address (all of Activepieces' cloud is one address). It also means that no
guess of a secret is stopped here: what makes guessing hopeless is the length of the secrets.

Counts live in this process; in Redis if ``ACTIVEPIECES_REDIS_URL`` is set; in the storage of the host's Flask-Limiter
if it has one.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ..crypto.keyring import sha256_hex
from ..errors import ConfigError

log = logging.getLogger(__name__)

MAX_FAILURES = 20
WINDOW = 60
_MAX_KEYS = 10_000


class FailureLimiter(Protocol):
    """Counts failures by key."""

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure; False if there are more than `MAX_FAILURES` for this key in the current window."""

    def is_blocked(self, key: str, *, now: int) -> bool:
        """Whether there are already that many: then a password, which can be guessed, is not even checked."""


class InMemoryLimiter:
    """Counts in this process; discards the oldest keys when there are too many."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._lock = threading.Lock()

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure of the current window."""
        # Hashed: the client id comes from a stranger and may have any length.
        slot = (hash(key), now // WINDOW)
        with self._lock:
            count = self._counts.pop(slot, 0) + 1
            self._counts[slot] = count
            if len(self._counts) > _MAX_KEYS:
                self._counts.popitem(last=False)
        return count <= MAX_FAILURES

    def is_blocked(self, key: str, *, now: int) -> bool:
        """Whether the failures of the current window have reached the limit."""
        return self._counts.get((hash(key), now // WINDOW), 0) >= MAX_FAILURES


class RedisLimiter:
    """Counts in Redis, for all workers together."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure of the current window."""
        slot = _redis_slot(key, now)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.incr(slot)
        pipeline.expire(slot, 2 * WINDOW)
        return int(pipeline.execute()[0]) <= MAX_FAILURES

    def is_blocked(self, key: str, *, now: int) -> bool:
        """Whether the failures of the current window have reached the limit."""
        return int(self._client.get(_redis_slot(key, now)) or 0) >= MAX_FAILURES


class FlaskLimiterStorage:
    """Counts in the storage of the host's Flask-Limiter, by its strategy."""

    def __init__(self, strategy: Any, limit: Any) -> None:
        self._strategy = strategy
        self._limit = limit

    @classmethod
    def from_flask_limiter(cls, limiter: Any) -> FlaskLimiterStorage:
        """The storage and strategy of this Flask-Limiter."""
        from limits import RateLimitItemPerMinute  # installed with Flask-Limiter

        return cls(limiter.limiter, RateLimitItemPerMinute(MAX_FAILURES))

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure of the current window."""
        return bool(self._strategy.hit(self._limit, "activepieces", sha256_hex(key)))

    def is_blocked(self, key: str, *, now: int) -> bool:
        """Whether the failures of the current window have reached the limit."""
        return not self._strategy.test(self._limit, "activepieces", sha256_hex(key))


class FallbackLimiter:
    """Counts in a shared storage, or in this process while that is unreachable."""

    def __init__(self, find_shared: Callable[[], FailureLimiter | None]) -> None:
        self._find_shared = find_shared
        self._local = InMemoryLimiter()

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure."""
        return self._ask(lambda limiter: limiter.record_failure(key, now=now))

    def is_blocked(self, key: str, *, now: int) -> bool:
        """Whether the failures of the current window have reached the limit."""
        return self._ask(lambda limiter: limiter.is_blocked(key, now=now))

    def _ask(self, question: Callable[[FailureLimiter], bool]) -> bool:
        try:
            shared = self._find_shared()
            if shared is not None:
                return question(shared)
        except Exception as error:
            # Each client library has errors of its own.
            log.warning("Failed attempts are counted in this process only: %s", type(error).__name__)
        return question(self._local)


def make_failure_limiter(extensions: Mapping[str, Any], *, redis_url: str | None) -> FailureLimiter:
    """The app's limiter: in Flask-Limiter's storage if it has that extension, else in Redis, else in this process."""
    redis = _redis(redis_url) if redis_url else None

    def find_shared() -> FailureLimiter | None:
        # Looked up at each failure, because the host may set up its limiter after us.
        limiter = next(iter(extensions.get("limiter") or ()), None)
        return FlaskLimiterStorage.from_flask_limiter(limiter) if limiter is not None and limiter.enabled else redis

    return FallbackLimiter(find_shared)


def _redis_slot(key: str, now: int) -> str:
    return f"activepieces:failures:{sha256_hex(key)}:{now // WINDOW}"


def _redis(url: str) -> FailureLimiter:
    try:
        from redis import Redis  # the extra "redis"
    except ImportError:
        raise ConfigError(
            ["ACTIVEPIECES_REDIS_URL: requires the package redis: pip install flask-activepieces[redis]"]
        ) from None
    return RedisLimiter(Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5))
