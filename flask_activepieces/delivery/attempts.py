"""Makes the attempts of a slice: one by one, or several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any

from .outcomes import Attempt, Outcome

#: With a response that takes longer, sending another event meanwhile is worth a thread.
SLOW_MILLISECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Due:
    """One delivery with its event."""

    id: int
    event_id: str
    #: When the event was stored, and since when this delivery waits.
    happened_at: int
    waits_since: int
    attempts: int
    payload: Any = field(repr=False)


@dataclass(frozen=True)
class Result:
    """What became of a delivery; without an attempt, nothing was sent."""

    due: Due
    outcome: Outcome
    attempt: Attempt | None = None


def attempt_all(
    attempt: Callable[[Due], Result],
    due: Sequence[Due],
    senders: Executor,
    *,
    parallel: int,
    until: float,
    is_ordered: bool,
) -> Sequence[Result]:
    """The results, until the server cannot be reached, asks to wait or ends the subscription, or the turn ends.

    In order, the first failure stops: nothing may overtake it. Otherwise up to ``parallel`` are sent at once, by this
    thread and threads of ``senders``: one more after each slow response, because a server that answers at once is
    served faster without them.
    """
    waiting, lock, results = iter(due), threading.Lock(), list[Result]()
    stopped, others = threading.Event(), list[Future[None]]()

    def send_on() -> None:
        while not stopped.is_set() and time.monotonic() < until:
            with lock:
                each = next(waiting, None)
            if each is None:
                return
            result = attempt(each)
            results.append(result)
            if result.outcome.effect != "none" or (is_ordered and result.outcome.state == "pending"):
                stopped.set()
            elif result.attempt is not None and result.attempt.milliseconds > SLOW_MILLISECONDS:
                with lock:
                    if not is_ordered and len(others) < parallel - 1:
                        others.append(senders.submit(send_on))

    try:
        send_on()
    finally:
        # What they send must be stored, whatever happened in this thread; each may have added another.
        while running := [each for each in others if not each.done()]:
            wait(running)
    for each in others:
        each.result()
    return results
