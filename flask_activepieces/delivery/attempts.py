"""Makes the attempts of a slice: one after the other, or several at once."""

from __future__ import annotations

import threading
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


def attempt_in_order(
    attempt: Callable[[Due], Result],
    due: Sequence[Due],
    *,
    store: Callable[[Result], None],
    goes_on: Callable[[], bool],
) -> Sequence[Result]:
    """The results, until the first failure, which nothing may overtake; ``goes_on``: whether another may be sent.

    Each is stored before the next is sent. Otherwise, if the worker is killed, the next worker would send an earlier
    event after a later one. The last result is left to the caller.
    """
    results: list[Result] = []
    for each in due:
        if not goes_on():
            break
        if results:
            store(results[-1])
        results.append(attempt(each))
        outcome = results[-1].outcome
        if outcome.state == "pending" or outcome.effect != "none":
            break
    return results


def attempt_all(
    attempt: Callable[[Due], Result],
    due: Sequence[Due],
    senders: Executor,
    *,
    parallel: int,
    goes_on: Callable[[], bool],
) -> Sequence[Result]:
    """The results, until the server cannot be reached, asks to wait or ends the subscription.

    Up to ``parallel`` are sent at once, by this thread and threads of ``senders``: one more after each slow response,
    because a server that answers at once is served faster without them.
    """
    waiting, lock, results = iter(due), threading.Lock(), list[Result]()
    stopped, others = threading.Event(), list[Future[None]]()

    def send_on() -> None:
        while not stopped.is_set() and goes_on():
            with lock:
                each = next(waiting, None)
            if each is None:
                return
            result = attempt(each)
            results.append(result)
            if result.outcome.effect != "none":
                stopped.set()
            elif result.attempt is not None and result.attempt.milliseconds > SLOW_MILLISECONDS:
                with lock:
                    if len(others) < parallel - 1:
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
