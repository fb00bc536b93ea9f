"""A flow or a server that is dead or slow does not delay the others.

What is slow is held until everything else has arrived: if it delayed the others, neither would ever arrive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import update

from flask_activepieces.storage.event_tables import subscriptions
from tests.support.clock import StoppedClock
from tests.support.databases import fresh_database
from tests.support.events import EventApp, Received, Webhooks, make_event_app, webhooks

#: Less than an attempt may take.
SECONDS = 15
SUBSCRIPTIONS = 100


class HoldsUntilOthersArrived:
    """Answers these flows only when this number of events of others has arrived."""

    def __init__(self, flows: Webhooks, *slow: str, others: int) -> None:
        self._flows = flows
        self._slow = slow
        self._others = others
        self._arrived = Event()
        #: Whether the others arrived in time, for each event that was held.
        self.results: list[bool] = []

    def __call__(self, received: Received) -> tuple[int, Mapping[str, str]]:
        if received.flow == "dead":
            raise ConnectionError
        if received.flow in self._slow:
            self.results.append(self._arrived.wait(SECONDS))
        elif sum(each.flow not in (*self._slow, "dead") for each in list(self._flows.received)) >= self._others:
            self._arrived.set()
        return 200, {}


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.fixture
def other_server() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def host(
    request: pytest.FixtureRequest, flows: Webhooks, other_server: Webhooks, tmp_path: Path, clock: StoppedClock
) -> Iterator[EventApp]:
    options: dict[str, Any] = {"ACTIVEPIECES_ALLOWED_BASE_URLS": [other_server.url]}
    with fresh_database(request.param, tmp_path) as database:
        made = make_event_app(tmp_path, flows.url, database=database, clock=clock, **options)
        with made.app.app_context():
            made.db.create_all()
            yield made
            made.db.session.remove()
            made.db.engine.dispose()


def test_a_dead_and_a_slow_flow_among_a_hundred_do_not_delay_the_others(host: EventApp, flows: Webhooks) -> None:
    # These two are the first in the queue.
    for flow in ("dead", "slow", *(f"f{number}" for number in range(SUBSCRIPTIONS - 2))):
        host.subscribe(flows.url_of(flow))
    flows.answer = answers = HoldsUntilOthersArrived(flows, "slow", others=2 * (SUBSCRIPTIONS - 2))
    host.emit(1, 2)

    host.delivery.worker().run_once()

    assert answers.results == [True, True]
    assert len(flows.data_of("dead")) == 1


def test_a_slow_server_does_not_delay_another(host: EventApp, flows: Webhooks, other_server: Webhooks) -> None:
    slow = [f"slow{number}" for number in range(30)]
    for flow in slow:
        host.subscribe(flows.url_of(flow))
    other, _ = host.subscribe(flows.url_of("other"))
    moved = {"webhook_url": other_server.url_of("other"), "server": other_server.url}
    host.db.session.execute(update(subscriptions).where(subscriptions.c.id == other.id).values(**moved))
    answers = HoldsUntilOthersArrived(other_server, *slow, others=5)
    flows.answer = other_server.answer = answers
    host.emit(1, 2, 3, 4, 5)

    host.delivery.worker().run_once()

    assert answers.results == [True] * 150
