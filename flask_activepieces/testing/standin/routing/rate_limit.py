"""How often one may try to sign up or in: so many times a minute, each route for itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock

_WINDOW = 60


@dataclass
class RateLimit:
    """Attempts within a minute that begins with the first of them."""

    most: int = 50
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def record_failure(self, route: str, now: float) -> tuple[int, int]:
        """One attempt: how many are left, negative if it was one too many, and for how many seconds."""
        with self._lock:
            ends, count = self._windows.get(route, (0.0, 0))
            if ends <= now:
                ends, count = now + _WINDOW, 0
            self._windows[route] = ends, count + 1
            return self.most - count - 1, math.ceil(ends - now)
