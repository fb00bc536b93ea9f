"""Limits login attempts, so that passwords cannot be guessed by trying many.

Attempts are counted in this process, which is enough for a demo. An app with several processes needs a shared
counter, for example Flask-Limiter with Redis.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60
ATTEMPTS_PER_USER = 5
#: For all users together, because a whole office may share one address.
ATTEMPTS_PER_ADDRESS = 50


class LoginLimit:
    """Counts attempts by network address, and by address and user."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, ...], _Counter] = {}

    def count_attempt(self, address: str, email: str) -> int:
        """Count an attempt and return the seconds to wait; 0 if it is allowed.

        Call this before checking the password, so that simultaneous attempts are all counted.
        """
        now = self._clock()
        with self._lock:
            self._counters = {key: counter for key, counter in self._counters.items() if counter.ends_at > now}
            limits = {(address,): ATTEMPTS_PER_ADDRESS, (address, email): ATTEMPTS_PER_USER}
            waits = [self._count(key, limit, now) for key, limit in limits.items()]
        return math.ceil(max(waits))

    def reset_user(self, address: str, email: str) -> None:
        """Start counting again for this user, after a correct password.

        The counter of the address continues, or an attacker with one account could guess all other passwords.
        """
        with self._lock:
            self._counters.pop((address, email), None)

    def _count(self, key: tuple[str, ...], limit: int, now: float) -> float:
        counter = self._counters.setdefault(key, _Counter(now + WINDOW_SECONDS))
        counter.attempts += 1
        return counter.ends_at - now if counter.attempts > limit else 0


@dataclass
class _Counter:
    ends_at: float
    attempts: int = 0
