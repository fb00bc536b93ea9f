"""No event is lost, whatever happens to the workers: they are killed again and again while events are emitted."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from flask_activepieces.storage.event_tables import deliveries, events
from tests.support.databases import POSTGRES, SQLITE, Kind, fresh_database
from tests.support.event_worker import LEASE_SECONDS, Deployment, running_workers
from tests.support.events import EventApp, Received, Webhooks, webhooks
from tests.support.requirements import Name, require

EVENTS = 2000
SECONDS = 30
TENANTS = [f"tenant{number}" for number in range(10)]
BROKERS = [
    pytest.param(None, id="worker"),
    pytest.param("rabbitmq", marks=pytest.mark.rabbitmq, id="celery-rabbitmq"),
    pytest.param("redis", marks=pytest.mark.redis, id="celery-redis"),
]


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        running.answer = Unreliable()
        yield running


@pytest.mark.parametrize("kind", [SQLITE, POSTGRES])
@pytest.mark.parametrize("broker", BROKERS)
def test_killed_workers_lose_no_event(kind: Kind, broker: Name | None, flows: Webhooks, tmp_path: Path) -> None:
    with fresh_database(kind, tmp_path) as database:
        deployment = Deployment(tmp_path, flows.url, database, require(broker) if broker else "")
        host = deployment.make_app()
        with host.app.app_context():
            host.db.create_all()
            for tenant in TENANTS:
                host.subscribe(flows.url_of(f"{tenant}any"), tenant_id=tenant)
                host.subscribe(flows.url_of(f"{tenant}ordered"), "task_moved", tenant_id=tenant)
            with running_workers(deployment, 2) as workers:
                emit_and_kill(host, deployment, workers)
                assert flows.received, "the workers did something before they were killed"
                wait_until_all_arrived(host)
            check(host, flows)
            check_log(host)
            host.db.session.remove()
            host.db.engine.dispose()


class Unreliable:
    """Fails a third of the time; the same event at most twice, because waits double each time."""

    def __init__(self) -> None:
        self._failures = Counter[str]()
        self.accepted: list[Received] = []

    def __call__(self, received: Received) -> tuple[int, Mapping[str, str]]:
        if random.random() < 1 / 3 and self._failures[received.event_id] < 2:
            self._failures[received.event_id] += 1
            return 500, {}
        self.accepted.append(received)
        return 200, {}


def emit_and_kill(host: EventApp, deployment: Deployment, workers: list[BaseProcess]) -> None:
    """Emit all events within the time, and kill a worker every second; another takes its place."""
    started, kills = time.monotonic(), 0
    for number in range(EVENTS):
        tenant = TENANTS[number % len(TENANTS)]
        is_ordered = number // len(TENANTS) % 20 == 0
        host.emit(number, tenant=tenant, trigger=host.moved if is_ordered else host.done)
        if number % 50 == 0:
            host.done.emit({"id": -1, "title": "never"}, tenant_id=tenant)
            host.db.session.rollback()
        while time.monotonic() - started < SECONDS * number / EVENTS:
            time.sleep(0.005)
        if time.monotonic() - started > kills + 1:
            kills += 1
            workers[kills % 2].kill()
            workers[kills % 2].join()
            workers[kills % 2] = deployment.start_worker()
    assert kills >= SECONDS - 5


def wait_until_all_arrived(host: EventApp) -> None:
    """The last worker to be killed keeps its lease for a while, and what is in order is tried event by event."""
    give_up_at = time.monotonic() + LEASE_SECONDS * 20
    while time.monotonic() < give_up_at:
        if not waiting(host):
            return
        time.sleep(0.5)
    raise AssertionError(f"{waiting(host)} still wait")


def waiting(host: EventApp) -> int:
    """How many events and deliveries wait."""
    new = host.db.session.execute(select(func.count()).where(events.c.pending == 1)).scalar_one()
    host.db.session.rollback()
    return int(new) + len(host.logged(state="pending"))


def check(host: EventApp, flows: Webhooks) -> None:
    assert isinstance(flows.answer, Unreliable)
    accepted = {each.event_id for each in flows.answer.accepted}
    ids = defaultdict[int, set[str]](set)
    for each in flows.received:
        ids[each.data["id"]].add(each.event_id)
    assert sorted(ids) == list(range(EVENTS)), "every event arrives, and no other"
    assert all(len(each) == 1 for each in ids.values()), "each has one id, in every attempt"
    assert len(set[str].union(*ids.values())) == EVENTS, "each has its own id"
    assert set[str].union(*ids.values()) == accepted, "each is accepted in the end, not only refused"
    for tenant in TENANTS:
        ordered = [each["id"] for each in flows.data_of(f"{tenant}ordered")]
        # An event is repeated until it is accepted; none overtakes another.
        assert ordered == sorted(ordered), "in order"
        numbers = {each["id"] for flow in ("any", "ordered") for each in flows.data_of(f"{tenant}{flow}")}
        assert numbers == set(range(int(tenant[6:]), EVENTS, len(TENANTS))), "only those of the tenant"


def check_log(host: EventApp) -> None:
    states = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    assert dict(map(tuple, host.db.session.execute(states))) == {"delivered": EVENTS}
