"""A budget of failed attempts: a client that fails too often is told to wait, and guessing shows in the log.

Only failures are counted, and only failures are answered 429: right credentials always pass. A stranger at the same
address (all of Activepieces' cloud is one address) can therefore lock nobody out. It also means that no guess is
stopped here: what makes guessing hopeless is the length of the secrets.

Counts live in this process; in Redis when ``ACTIVEPIECES_REDIS_URL`` is set; in the host's own Flask-Limiter
storage when it has one. A count that cannot be kept is let go: it protects nothing but our patience.
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

ATTEMPTS = 20
WINDOW = 60
_MAX_KEYS = 10_000


class FailureLimiter(Protocol):
    """Counts failures by key."""

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure; False when the key has had its `ATTEMPTS` in this window."""
        ...


class InMemoryLimiter:
    """Counts in this process; the oldest keys are forgotten when there are too many."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._lock = threading.Lock()

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure of this window."""
        # Hashed: an attempted client id is a stranger's text and may be of any length.
        slot = (hash(key), now // WINDOW)
        with self._lock:
            count = self._counts.pop(slot, 0) + 1
            self._counts[slot] = count
            if len(self._counts) > _MAX_KEYS:
                self._counts.popitem(last=False)
        return count <= ATTEMPTS


class RedisLimiter:
    """Counts in Redis, for all workers together."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure of this window."""
        slot = f"activepieces:budget:{sha256_hex(key)}:{now // WINDOW}"
        pipeline = self._client.pipeline(transaction=False)
        pipeline.incr(slot)
        pipeline.expire(slot, 2 * WINDOW)
        return int(pipeline.execute()[0]) <= ATTEMPTS


class FlaskLimiterStorage:
    """Counts in the storage of the host's Flask-Limiter, by its strategy."""

    def __init__(self, strategy: Any, limit: Any) -> None:
        self._strategy = strategy
        self._limit = limit

    @classmethod
    def of(cls, limiter: Any) -> FlaskLimiterStorage:
        """The budget in one Flask-Limiter's storage."""
        from limits import RateLimitItemPerMinute  # a companion of Flask-Limiter: there if it is

        return cls(limiter.limiter, RateLimitItemPerMinute(ATTEMPTS))

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure of this window."""
        return bool(self._strategy.hit(self._limit, "activepieces", sha256_hex(key)))


class FallbackLimiter:
    """Another budget, or a local one for as long as the other cannot be reached."""

    def __init__(self, find: Callable[[], FailureLimiter | None]) -> None:
        self._find = find
        self._local = InMemoryLimiter()

    def record_failure(self, key: str, *, now: int) -> bool:
        """Count one failure where it is possible."""
        try:
            budget = self._find()
            if budget is not None:
                return budget.record_failure(key, now=now)
        except Exception as error:
            # Any client library may stand behind this, each with its own errors.
            log.warning(
                "Failed attempts are counted in this process only: %s", type(error).__name__
            )
        return self._local.record_failure(key, now=now)


def make_failure_limiter(extensions: Mapping[str, Any], *, redis_url: str | None) -> FailureLimiter:
    """The budget of an app with these extensions: the host's limiter, else Redis, else this process."""
    redis = _redis(redis_url) if redis_url else None

    def find() -> FailureLimiter | None:
        # Asked at each failure, for the host may set its limiter up after us.
        limiter = next(iter(extensions.get("limiter") or ()), None)
        return FlaskLimiterStorage.of(limiter) if limiter is not None and limiter.enabled else redis

    return FallbackLimiter(find)


def _redis(url: str) -> FailureLimiter:
    try:
        from redis import Redis  # an optional companion: the extra "redis"
    except ImportError:
        raise ConfigError(
            [
                "ACTIVEPIECES_REDIS_URL: it needs the package redis: pip install flask-activepieces[redis]"
            ]
        ) from None
    return RedisLimiter(Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5))
