"""The rate limit of sign-up and sign-in, per route and minute."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock

_WINDOW = 60


@dataclass
class RateLimit:
    """Counts attempts in a window of one minute that begins with the first attempt."""

    most: int = 50
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def record_failure(self, route: str, now: float) -> tuple[int, int]:
        """Count an attempt; returns the attempts left (negative if exceeded) and the seconds until the reset."""
        with self._lock:
            ends, count = self._windows.get(route, (0.0, 0))
            if ends <= now:
                ends, count = now + _WINDOW, 0
            self._windows[route] = ends, count + 1
            return self.most - count - 1, math.ceil(ends - now)
