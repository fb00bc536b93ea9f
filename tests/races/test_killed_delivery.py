"""No event is lost, whatever happens to the workers: they are killed again and again while events are emitted."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from flask_activepieces.delivery.dispatcher import LEASE_SECONDS
from tests.support.databases import Kind, fresh_database
from tests.support.event_worker import make_celery
from tests.support.events import EventApp, Received, Webhooks, make_event_app, webhooks
from tests.support.requirements import require

EVENTS = 2000
SECONDS = 30

pytestmark = pytest.mark.long


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
@pytest.mark.parametrize(
    "broker",
    [
        pytest.param("", id="worker"),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq, id="celery-rabbitmq"),
        pytest.param("redis", marks=pytest.mark.redis, id="celery-redis"),
    ],
)
def test_killed_workers_lose_no_event(kind: Kind, broker: str, tmp_path: Path) -> None:
    arguments = [require(broker)] if broker else []  # type: ignore[arg-type]
    with webhooks() as flows, fresh_database(kind, tmp_path) as database:
        host = make_event_app(tmp_path, flows.url, database=database)
        if broker:
            make_celery(host, arguments[0])
        command = [sys.executable, "-m", "tests.support.event_worker", str(tmp_path), flows.url, database, *arguments]
        with host.app.app_context():
            host.db.create_all()
            host.subscribe(flows.url_of("any"))
            host.subscribe(flows.url_of("ordered"), "task_moved")
            flows.answer = fails_a_third
            workers = [subprocess.Popen(command) for _ in range(2)]
            try:
                emit_and_kill(host, workers, command)
                wait_until_all_arrived(host, flows)
            finally:
                for worker in workers:
                    worker.kill()
                    worker.wait()
            check(host, flows)
            host.db.session.remove()
            host.db.engine.dispose()


def fails_a_third(received: Received) -> tuple[int, Mapping[str, str]]:
    return (500 if random.random() < 1 / 3 else 200), {}


def emit_and_kill(host: EventApp, workers: list[subprocess.Popen[bytes]], command: list[str]) -> None:
    """Emit all events within the time, and kill a worker every second; another takes its place."""
    started, kills = time.monotonic(), 0
    for number in range(EVENTS):
        host.emit(number, trigger=host.moved if number % 20 == 0 else host.done)
        if number % 50 == 0:
            # Of a transaction that fails.
            host.done.emit({"id": -1, "title": "never"}, tenant_id="acme")
            host.db.session.rollback()
        while time.monotonic() - started < SECONDS * number / EVENTS:
            time.sleep(0.005)
        if time.monotonic() - started > kills + 1:
            kills += 1
            workers[kills % 2].kill()
            workers[kills % 2].wait()
            workers[kills % 2] = subprocess.Popen(command)
    assert kills >= SECONDS - 5


def wait_until_all_arrived(host: EventApp, flows: Webhooks) -> None:
    """The last worker to be killed keeps its lease for a while, and what is in order is tried event by event."""
    give_up_at = time.monotonic() + LEASE_SECONDS * 6
    while time.monotonic() < give_up_at:
        if not host.logged(state="pending") and len({each.data["id"] for each in list(flows.received)}) == EVENTS:
            return
        time.sleep(1)
    raise AssertionError(f"{len(host.logged(state='pending'))} deliveries wait still")


def check(host: EventApp, flows: Webhooks) -> None:
    ids: dict[int, set[str]] = {}
    for each in flows.received:
        ids.setdefault(each.data["id"], set()).add(each.event_id)
    assert sorted(ids) == list(range(EVENTS)), "every event arrives, and no other"
    assert all(len(each) == 1 for each in ids.values()), "each has one id"
    ordered = [each["id"] for each in flows.data_of("ordered")]
    # An event is repeated until it is accepted; none overtakes another.
    assert ordered == sorted(ordered), "in order"
