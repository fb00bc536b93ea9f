"""What the response to an event means, and when to try again. Pure functions.

What Activepieces answers was observed on 0.85 and 0.86 servers: 404 for a disabled flow, 410 for a deleted one, 413
for a body of more than 25 MB; since 0.87, 402 when the platform's quota is used up.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

State = Literal["pending", "delivered", "skipped", "dead"]
Effect = Literal["none", "wait", "pause", "remove"]

#: After this many seconds without success an event is dead: long enough for a weekend.
MAX_AGE = 3 * 86_400
LONGEST_WAIT = 3600
#: Responses that say "later", in addition to all of the 500s (RFC 9110 §15.5.9, RFC 8470, RFC 6585 §4).
_LATER = frozenset([408, 425, 429])
#: With these the server asks for patience with everything, not with this event only.
_SERVER_BUSY = frozenset([429, 502, 503, 504])


@dataclass(frozen=True)
class Attempt:
    """One attempt: the status of the response, or None and what failed."""

    status: int | None
    error: str | None = None
    milliseconds: int = 0
    response: str = ""
    #: Seconds that the server asked to wait.
    retry_after: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What becomes of the delivery, and of its subscription."""

    state: State
    #: ``wait``: the whole subscription waits. ``pause`` and ``remove``: until someone enables the flow, or for good.
    effect: Effect = "none"
    reason: str | None = None


def outcome_of(attempt: Attempt) -> Outcome:
    """The meaning of the attempt."""
    match attempt.status:
        case None:
            return Outcome("pending", "wait", attempt.error)
        case 402:
            return Outcome("pending", "pause", "the quota of the platform is used up")
        case 404:
            return Outcome("pending", "pause", "the flow is disabled")
        case 410:
            return Outcome("dead", "remove", "the flow was deleted")
        case status if 200 <= status < 300:
            return Outcome("delivered")
        case status if status in _SERVER_BUSY:
            return Outcome("pending", "wait", f"the server answered {status}")
        case status if status >= 500 or status in _LATER:
            return Outcome("pending", "none", f"the server answered {status}")
        case 413:
            return Outcome("dead", "none", "the event is too large")
        case status:
            return Outcome("dead", "none", f"the server rejected the event with {status}")


def wait_seconds(attempts: int, *, at_least: int | None = None) -> int:
    """Seconds until the next attempt: doubled each time, with jitter so that failures do not come back together."""
    longest: int = min(LONGEST_WAIT, 2 ** min(attempts, 12))
    jittered = max(1, round(longest * random.uniform(0.5, 1.0)))  # noqa: S311  # not a secret
    return max(jittered, min(at_least or 0, LONGEST_WAIT))
