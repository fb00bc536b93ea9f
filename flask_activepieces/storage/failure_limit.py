"""Limits failed attempts: a client that fails too often gets 429, and guessing shows in the log.

Only failures are counted, and only failures are answered with 429: correct credentials always pass. So a stranger
cannot lock anyone out, even at a shared address (all of Activepieces' cloud is one address). It also means that no
guess is stopped here: what makes guessing hopeless is the length of the secrets.

Counts live in this process; in Redis if ``ACTIVEPIECES_REDIS_URL`` is set; in the storage of the host's Flask-Limiter
if it has one.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from ..crypto.keyring import sha256_hex
from ..errors import ConfigError

log = logging.getLogger(__name__)

MAX_FAILURES = 20
WINDOW = 60
_MAX_KEYS = 10_000


#: Counts one failure of a key in the window of this second; False if it is one more than `MAX_FAILURES`.
RecordFailure = Callable[[str, int], bool]


class FailureLimiter:
    """Counts failures by key: in a shared storage, or in this process if there is none or it is unreachable."""

    def __init__(self, find_shared: Callable[[], RecordFailure | None] = lambda: None) -> None:
        self._find_shared = find_shared
        self._counts: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._lock = threading.Lock()

    def record_failure(self, key: str, now: int) -> bool:
        """Count one failure; False if there are more than `MAX_FAILURES` for this key in the current window."""
        try:
            shared = self._find_shared()
            if shared is not None:
                return shared(key, now)
        except Exception as error:
            # Each client library has errors of its own.
            log.warning("Failed attempts are counted in this process only: %s", type(error).__name__)
        return self._record_here(key, now)

    def _record_here(self, key: str, now: int) -> bool:
        # Hashed: the client id comes from a stranger and may have any length.
        slot = (hash(key), now // WINDOW)
        with self._lock:
            count = self._counts.pop(slot, 0) + 1
            self._counts[slot] = count
            if len(self._counts) > _MAX_KEYS:
                self._counts.popitem(last=False)
        return count <= MAX_FAILURES


def in_redis(client: Any) -> RecordFailure:
    """Counts in Redis, for all workers together."""

    def record(key: str, now: int) -> bool:
        slot = f"activepieces:failures:{sha256_hex(key)}:{now // WINDOW}"
        pipeline = client.pipeline(transaction=False)
        pipeline.incr(slot)
        pipeline.expire(slot, 2 * WINDOW)
        return int(pipeline.execute()[0]) <= MAX_FAILURES

    return record


def in_flask_limiter(limiter: Any) -> RecordFailure:
    """Counts in the storage of the host's Flask-Limiter, by its strategy."""
    from limits import RateLimitItemPerMinute  # installed with Flask-Limiter

    limit = RateLimitItemPerMinute(MAX_FAILURES)
    return lambda key, _: bool(limiter.limiter.hit(limit, "activepieces", sha256_hex(key)))


def make_failure_limiter(extensions: Mapping[str, Any], *, redis_url: str | None) -> FailureLimiter:
    """The app's limiter: in Flask-Limiter's storage if it has that extension, else in Redis, else in this process."""
    redis = _redis(redis_url) if redis_url else None

    def find_shared() -> RecordFailure | None:
        # Looked up at each failure, because the host may set up its limiter after us.
        limiter = next(iter(extensions.get("limiter") or ()), None)
        return in_flask_limiter(limiter) if limiter is not None and limiter.enabled else redis

    return FailureLimiter(find_shared)


def _redis(url: str) -> RecordFailure:
    try:
        from redis import Redis  # the extra "redis"
    except ImportError:
        raise ConfigError(
            ["ACTIVEPIECES_REDIS_URL: requires the package redis: pip install flask-activepieces[redis]"]
        ) from None
    return in_redis(Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5))
