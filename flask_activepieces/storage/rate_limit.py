"""Counts by key and minute, for limits: of failed attempts, and of calls.

Counts live in this process; in Redis if ``ACTIVEPIECES_REDIS_URL`` is set; in the storage of the host's Flask-Limiter
if it has one.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from ..crypto.keyring import sha256_hex
from ..errors import ConfigError

log = logging.getLogger(__name__)

WINDOW = 60
_MAX_KEYS = 10_000


#: Counts one more of a key in the window of this second; False if there are more than the limit.
Hit = Callable[[str, int, int], bool]


class RateLimiter:
    """Counts by key: in a shared storage, or in this process if there is none or it is unreachable."""

    def __init__(self, find_shared: Callable[[], Hit | None] = lambda: None) -> None:
        self._find_shared = find_shared
        self._counts: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._lock = threading.Lock()

    def hit(self, key: str, now: int, limit: int) -> bool:
        """Count one more; False if there are more than ``limit`` for this key in the current window."""
        try:
            shared = self._find_shared()
            if shared is not None:
                return shared(key, now, limit)
        except Exception as error:
            # Each client library has errors of its own.
            log.warning("Attempts and calls are counted in this process only: %s", type(error).__name__)
        return self._hit_here(key, now, limit)

    def _hit_here(self, key: str, now: int, limit: int) -> bool:
        # Hashed: the client id comes from a stranger and may have any length.
        slot = (hash(key), now // WINDOW)
        with self._lock:
            count = self._counts.pop(slot, 0) + 1
            self._counts[slot] = count
            if len(self._counts) > _MAX_KEYS:
                self._counts.popitem(last=False)
        return count <= limit


def address_key(address: str | None) -> str:
    """What limits count by: an address, or of IPv6 the network of 2⁶⁴ addresses that one customer has (RFC 6177)."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return address or ""  # a Unix socket
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    # A server that listens on IPv6 gets IPv4 addresses in this form (RFC 4291 §2.5.5.2).
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def in_redis(client: Any) -> Hit:
    """Counts in Redis, for all workers together."""

    def hit(key: str, now: int, limit: int) -> bool:
        slot = f"activepieces:hits:{sha256_hex(key)}:{now // WINDOW}"
        pipeline = client.pipeline(transaction=False)
        pipeline.incr(slot)
        pipeline.expire(slot, 2 * WINDOW)
        return int(pipeline.execute()[0]) <= limit

    return hit


def in_flask_limiter(limiter: Any) -> Hit:
    """Counts in the storage of the host's Flask-Limiter, by its strategy."""
    from limits import RateLimitItemPerMinute  # installed with Flask-Limiter

    return lambda key, _, limit: bool(
        limiter.limiter.hit(RateLimitItemPerMinute(limit), "activepieces", sha256_hex(key))
    )


def make_rate_limiter(extensions: Mapping[str, Any], *, redis_url: str | None) -> RateLimiter:
    """The app's limiter: in Flask-Limiter's storage if it has that extension, else in Redis, else in this process."""
    redis = _redis(redis_url) if redis_url else None

    def find_shared() -> Hit | None:
        # Looked up each time, because the host may set up its limiter after us.
        limiter = next(iter(extensions.get("limiter") or ()), None)
        return in_flask_limiter(limiter) if limiter is not None and limiter.enabled else redis

    return RateLimiter(find_shared)


def _redis(url: str) -> Hit:
    try:
        from redis import Redis  # the extra "redis"
    except ImportError:
        raise ConfigError(
            ["ACTIVEPIECES_REDIS_URL: requires the package redis: pip install flask-activepieces[redis]"]
        ) from None
    return in_redis(Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5))
