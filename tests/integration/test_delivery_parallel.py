"""A slow server gets several requests at once, but from all workers together no more than it may get."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from tests.support.clock import StoppedClock
from tests.support.databases import fresh_database
from tests.support.events import EventApp, Received, Webhooks, make_event_app, webhooks

SLOW_SECONDS = 0.2
DATABASES = [
    "sqlite",
    # They wait for slow servers, ten seconds on each database.
    pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.long]),
    pytest.param("mariadb", marks=[pytest.mark.mariadb, pytest.mark.long]),
]

Running = Callable[[int], Any]


class Slow:
    """Answers late, and counts how many requests it has at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0
        self.most = 0

    def __call__(self, received: Received) -> tuple[int, Mapping[str, str]]:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        time.sleep(SLOW_SECONDS)
        with self._lock:
            self._running -= 1
        return 200, {}


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        running.answer = Slow()
        yield running


@pytest.fixture(params=DATABASES)
def running(request: pytest.FixtureRequest, flows: Webhooks, tmp_path: Path) -> Iterator[Running]:
    """Run an app whose server may get so many requests at once."""
    with fresh_database(request.param, tmp_path) as database:

        @contextmanager
        def run(per_server: int) -> Iterator[EventApp]:
            options = {"ACTIVEPIECES_DELIVERIES_PER_SERVER": per_server}
            host = make_event_app(tmp_path, flows.url, database=database, clock=StoppedClock(), **options)
            with host.app.app_context():
                host.db.create_all()
                yield host
                host.db.session.remove()
                host.db.engine.dispose()

        yield run


def most_at_once(flows: Webhooks) -> int:
    assert isinstance(flows.answer, Slow)
    return flows.answer.most


@pytest.mark.parametrize(("per_server", "most"), [(1, 1), (3, 3), (10, 4)])
def test_one_flow_gets_as_many_requests_at_once_as_its_server_may(
    running: Running, flows: Webhooks, per_server: int, most: int
) -> None:
    with running(per_server) as host:
        host.subscribe(flows.url_of("f1"))
        host.emit(*range(10))

        assert host.deliver() == 10

    assert most_at_once(flows) == most
    assert sorted(each["id"] for each in flows.data_of("f1")) == list(range(10)), "each once"


def test_several_workers_together_keep_to_the_limit_of_the_server(running: Running, flows: Webhooks) -> None:
    with running(5) as host:
        for number in range(4):
            host.subscribe(flows.url_of(f"f{number}"))
        host.emit(*range(8))

        # One after the other may find nothing at the moment, so it looks again.
        with ThreadPoolExecutor(2) as workers:
            while list(workers.map(lambda worker: worker.run_once(), _workers(host))) != [0, 0]:
                pass

    assert most_at_once(flows) == 5
    assert len(flows.received) == 4 * 8


def test_the_limit_is_used_in_full_by_flows_with_one_event_each(running: Running, flows: Webhooks) -> None:
    with running(3) as host:
        for number in range(9):
            host.subscribe(flows.url_of(f"f{number}"))
        host.emit(1)

        assert host.deliver() == 9

    assert most_at_once(flows) == 3


def test_ordered_events_are_sent_one_at_a_time(running: Running, flows: Webhooks) -> None:
    with running(10) as host:
        host.subscribe(flows.url_of("f1"), "task_moved")
        host.emit(*range(5), trigger=host.moved)

        host.deliver()

    assert most_at_once(flows) == 1
    assert [each["id"] for each in flows.data_of("f1")] == list(range(5))


def test_what_one_turn_has_added_does_not_count_in_the_next(running: Running, flows: Webhooks) -> None:
    with running(4) as host:
        host.subscribe(flows.url_of("f1"))
        for _ in range(2):
            host.emit(*range(8))
            assert host.deliver() == 8
        for number in range(2, 5):
            host.subscribe(flows.url_of(f"f{number}"))
        host.emit(1)

        assert len(host.delivery.dispatcher.claim("one", limit=20)) == 4


def _workers(host: EventApp) -> list[Any]:
    return [host.delivery.worker(threads=4) for _ in range(2)]
