"""Makes the attempts of a slice: one after the other, or several at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any

from .outcomes import Attempt, Outcome

#: If a response takes longer, another thread sends the next event meanwhile.
SLOW_MILLISECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Due:
    """One delivery with its event."""

    id: int
    event_id: str
    #: When the event was stored, and when this delivery began to wait.
    happened_at: int
    waits_since: int
    attempts: int
    payload: Any = field(repr=False)


@dataclass(frozen=True)
class Result:
    """The result of a delivery. Without an attempt, nothing was sent."""

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
    """The results until the first failure: later events must wait for it. ``goes_on``: whether another may be sent.

    Each is stored before the next is sent. Otherwise, if the worker is killed, the next worker would send an earlier
    event after a later one. The caller stores the last result.
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
    add_request: Callable[[], bool],
    goes_on: Callable[[], bool],
) -> Sequence[Result]:
    """The results until the server cannot be reached, asks to wait, or pauses or ends the subscription.

    This thread and threads of ``senders`` send up to ``parallel`` events at the same time. After each slow response,
    one more thread is used, until ``add_request`` says that the server gets as many requests as it may. If the server
    responds quickly, a single thread is faster.
    """
    waiting, results = deque(due), list[Result]()
    stopped, others = threading.Event(), list[Future[None]]()
    lock, is_full = threading.Lock(), threading.Event()

    def add_sender() -> None:
        with lock:
            if not waiting or is_full.is_set():
                return
            if len(others) < parallel - 1 and add_request():
                others.append(senders.submit(send_on))
            else:
                is_full.set()

    def send_on() -> None:
        while not stopped.is_set() and goes_on():
            try:
                each = waiting.popleft()
            except IndexError:
                return
            result = attempt(each)
            results.append(result)
            if result.outcome.effect != "none":
                stopped.set()
            elif result.attempt is not None and result.attempt.milliseconds > SLOW_MILLISECONDS:
                add_sender()

    try:
        send_on()
    finally:
        # Their results must be stored even if this thread has failed. Each of them may have added another one.
        while running := [each for each in others if not each.done()]:
            wait(running)
    for each in others:
        each.result()
    return results
