"""Makes the attempts of a slice: one by one, or several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from .outcomes import Attempt, Outcome


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
    lanes: int,
    until: float,
    is_ordered: bool,
) -> Sequence[Result]:
    """The results, until the server cannot be reached, asks to wait or ends the subscription, or the turn ends.

    In order, the first failure stops: nothing may overtake it. This thread is one of the ``lanes``; the others are
    threads of ``senders``.
    """
    waiting, lock, results = iter(due), threading.Lock(), list[Result]()
    stopped = threading.Event()

    def run_lane() -> None:
        while not stopped.is_set() and time.monotonic() < until:
            with lock:
                each = next(waiting, None)
            if each is None:
                return
            result = attempt(each)
            results.append(result)
            if result.outcome.effect != "none" or (is_ordered and result.outcome.state == "pending"):
                stopped.set()

    others = [senders.submit(run_lane) for _ in range(min(lanes, len(due)) - 1)]
    try:
        run_lane()
    finally:
        # What was sent has to be stored, whatever happened in this lane.
        errors = [future.exception() for future in others]
    for error in errors:
        if error is not None:
            raise error
    return results
