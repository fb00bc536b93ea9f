"""How often somebody may try to sign in, so that no password is found by trying many.

Attempts are counted in this process, which is enough for a demo. An app with several processes counts in one place,
by Flask-Limiter for instance.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60
ATTEMPTS_PER_USER = 5
#: Of one address on all users together; a whole office may be behind one.
ATTEMPTS_PER_ADDRESS = 50


@dataclass
class _Count:
    ends_at: float
    attempts: int = 0


class LoginLimit:
    """Counts attempts by the address they come from, and by address and user."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], _Count] = {}

    def seconds_to_wait(self, address: str, email: str) -> int:
        """Count an attempt before its password is looked at; 0 if it may go on.

        Counting first leaves no gap for attempts at the same time.
        """
        now = self._clock()
        with self._lock:
            self._counts = {key: one for key, one in self._counts.items() if one.ends_at > now}
            limits = {(address,): ATTEMPTS_PER_ADDRESS, (address, email): ATTEMPTS_PER_USER}
            waits = [self._count(key, limit, now) for key, limit in limits.items()]
        return math.ceil(max(waits))

    def forget(self, address: str, email: str) -> None:
        """The password was right: this user begins again. The address does not, or one account would open all."""
        with self._lock:
            self._counts.pop((address, email), None)

    def _count(self, key: tuple[str, ...], limit: int, now: float) -> float:
        count = self._counts.setdefault(key, _Count(now + WINDOW_SECONDS))
        count.attempts += 1
        return count.ends_at - now if count.attempts > limit else 0
