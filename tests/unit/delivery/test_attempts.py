"""The attempts of a slice: in order or not, and when they stop."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from flask_activepieces.delivery.attempts import Due, Result, attempt_all, attempt_in_order
from flask_activepieces.delivery.outcomes import Attempt, Effect, Outcome, State


@pytest.fixture
def senders() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def due(count: int) -> list[Due]:
    return [
        Due(id=n, event_id=f"evt_{n}", happened_at=0, waits_since=0, attempts=0, payload={}) for n in range(count)
    ]


def result(each: Due, state: State = "delivered", effect: Effect = "none", milliseconds: int = 0) -> Result:
    return Result(each, Outcome(state, effect), Attempt(200, milliseconds=milliseconds))


def in_order(
    attempt: Callable[[Due], Result], count: int, goes_on: Callable[[], bool] = lambda: True
) -> tuple[list[int], list[int]]:
    """The numbers of what was attempted, and of what was stored meanwhile."""
    stored: list[int] = []
    results = attempt_in_order(attempt, due(count), store=lambda each: stored.append(each.due.id), goes_on=goes_on)
    return [each.due.id for each in results], stored


def test_a_failure_stops_what_is_in_order() -> None:
    attempted, _ = in_order(lambda each: result(each, "pending" if each.id == 2 else "delivered"), 5)

    assert attempted == [0, 1, 2]


def test_in_order_each_result_is_stored_before_the_next_event_is_sent() -> None:
    """If the worker is killed, the next one would otherwise send an earlier event after a later one."""
    stored: list[int] = []

    def attempt(each: Due) -> Result:
        assert stored == list(range(each.id))
        return result(each)

    attempt_in_order(attempt, due(3), store=lambda each: stored.append(each.due.id), goes_on=lambda: True)

    assert stored == [0, 1], "the last is stored when the subscription is given back"


def test_an_event_that_is_dead_holds_nothing_up() -> None:
    assert in_order(lambda each: result(each, "dead"), 3) == ([0, 1, 2], [0, 1])


def test_in_order_no_attempt_begins_after_the_turn() -> None:
    assert in_order(result, 5, lambda: False) == ([], [])


def test_a_failure_does_not_stop_what_has_no_order(senders: ThreadPoolExecutor) -> None:
    results = attempt_all(
        lambda each: result(each, "pending"),
        due(5),
        senders,
        parallel=4,
        add_request=lambda: True,
        goes_on=lambda: True,
    )

    assert len(results) == 5


@pytest.mark.parametrize("effect", ["wait", "pause", "remove"])
def test_what_concerns_the_subscription_stops_everything(senders: ThreadPoolExecutor, effect: Effect) -> None:
    results = attempt_all(
        lambda each: result(each, "pending", effect),
        due(50),
        senders,
        parallel=4,
        add_request=lambda: True,
        goes_on=lambda: True,
    )

    assert len(results) == 1


def test_a_slow_server_gets_several_requests_at_once(senders: ThreadPoolExecutor) -> None:
    meeting = Barrier(4, timeout=10)

    def attempt(each: Due) -> Result:
        if each.id >= 4:
            meeting.wait()
        return result(each, milliseconds=1000)

    results = attempt_all(attempt, due(8), senders, parallel=4, add_request=lambda: True, goes_on=lambda: True)

    assert sorted(each.due.id for each in results) == list(range(8))


@pytest.mark.parametrize("free", [0, 1, 2])
def test_a_slow_server_gets_no_more_requests_at_once_than_it_may(senders: ThreadPoolExecutor, free: int) -> None:
    left, running, most = iter([True] * free), Counter[str](), Counter[str]()

    def attempt(each: Due) -> Result:
        running["now"] += 1
        most["now"] = max(most["now"], running["now"])
        time.sleep(0.02)
        running["now"] -= 1
        return result(each, milliseconds=1000)

    results = attempt_all(
        attempt, due(12), senders, parallel=4, add_request=lambda: next(left, False), goes_on=lambda: True
    )

    assert len(results) == 12
    assert most["now"] == 1 + free


def test_a_full_server_is_not_asked_again_after_each_event(senders: ThreadPoolExecutor) -> None:
    asked = []

    def refuse() -> bool:
        asked.append(1)
        return False

    attempt_all(
        lambda each: result(each, milliseconds=1000),
        due(12),
        senders,
        parallel=4,
        add_request=refuse,
        goes_on=lambda: True,
    )

    assert len(asked) == 1


def test_no_attempt_begins_after_the_turn(senders: ThreadPoolExecutor) -> None:
    results = attempt_all(result, due(5), senders, parallel=4, add_request=lambda: True, goes_on=lambda: False)

    assert results == []


def test_a_failing_thread_is_reported(senders: ThreadPoolExecutor) -> None:
    def attempt(each: Due) -> Result:
        if each.id:
            raise ZeroDivisionError
        return result(each, milliseconds=1000)

    with pytest.raises(ZeroDivisionError):
        attempt_all(attempt, due(8), senders, parallel=4, add_request=lambda: True, goes_on=lambda: True)
