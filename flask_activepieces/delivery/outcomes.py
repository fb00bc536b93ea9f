"""The meaning of the response to an event, and the time of the next attempt. Pure functions.

The responses of Activepieces were observed on 0.85 and 0.86 servers: 404 for a disabled flow, 410 for a deleted one,
413 for a body of more than 25 MB; since 0.87, 402 if the platform's quota is used up. All of them are JSON. A page of
HTML is from something else: a proxy, or the web interface of Activepieces, which answers 200 for each path outside of
its API. A flow could answer with a page only at `/webhooks/:id/sync`, and the app does not call that.
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
#: The event is sent again later, as after all 5xx responses (RFC 9110 §15.5.9, RFC 8470, RFC 6585 §4).
_LATER = frozenset([408, 425, 429])
#: These concern the whole server, not only this event.
_SERVER_BUSY = frozenset([429, 502, 503, 504])
#: With these, Activepieces says that the flow is disabled or deleted.
_OF_FLOW = frozenset([404, 410])
#: Reasons that the log shows in the words of its page.
APP_FAILED = "the app failed to send the event"
WEB_PAGE = "a web page answered, not Activepieces: check the address of the server and its proxy"


@dataclass(frozen=True)
class Attempt:
    """One attempt: the status of the response, or None and the error."""

    status: int | None
    error: str | None = None
    milliseconds: int = 0
    response: str = ""
    #: How many seconds to wait, as the server asked.
    retry_after: int | None = None
    #: Whether the response is a page of HTML.
    is_html: bool = False


@dataclass(frozen=True)
class Outcome:
    """The next state of the delivery, and the effect on its subscription."""

    state: State
    #: ``wait``: until the next attempt. ``pause``: until someone enables the flow. ``remove``: forever.
    effect: Effect = "none"
    reason: str | None = None


def outcome_of(attempt: Attempt) -> Outcome:
    """The meaning of the attempt."""
    match attempt.status:
        case None:
            return Outcome("pending", "wait", attempt.error)
        case status if attempt.is_html and (status < 300 or status in _OF_FLOW):
            return Outcome("pending", "wait", WEB_PAGE)
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
    """Seconds until the next attempt: doubled each time, with jitter so that retries do not come all at once."""
    longest: int = min(LONGEST_WAIT, 2 ** min(attempts, 12))
    jittered = max(1, round(longest * random.uniform(0.5, 1.0)))  # noqa: S311  # not a secret
    return max(jittered, min(at_least or 0, LONGEST_WAIT))
