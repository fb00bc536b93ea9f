"""Limits failed attempts: a client that fails too often gets 429, and guessing shows in the log.

Only failures are counted, and only failures are answered with 429: correct credentials always pass. So a stranger
cannot lock anyone out, even at a shared address (all of Activepieces' cloud is one address). It also means that no
guess is stopped here: what makes guessing hopeless is the length of the secrets.
"""

from __future__ import annotations

from dataclasses import dataclass

from .rate_limit import RateLimiter

MAX_FAILURES = 20


@dataclass(frozen=True)
class FailureLimiter:
    """Counts failures by key."""

    limiter: RateLimiter

    def record_failure(self, key: str, now: int) -> bool:
        """Count one failure; False if there are more than `MAX_FAILURES` for this key in the current window."""
        return self.limiter.hit(key, now, MAX_FAILURES)
