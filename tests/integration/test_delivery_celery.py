"""Celery is told of new events after the commit, and an outage of its broker loses none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Retry
from celery.signals import before_task_publish, task_retry

from flask_activepieces.delivery.celery import RETRY_SECONDS, TASK, register
from flask_activepieces.errors import Unavailable
from tests.support.clock import StoppedClock
from tests.support.events import EventApp, Webhooks, always, make_event_app, webhooks
from tests.support.storage import database_away


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.fixture
def host(flows: Webhooks, tmp_path: Path, clock: StoppedClock) -> Iterator[EventApp]:
    made = make_event_app(tmp_path, flows.url, clock=clock)
    with made.app.app_context():
        made.db.create_all()
        yield made
        made.db.session.remove()
        made.db.engine.dispose()


@pytest.fixture
def sent() -> Iterator[list[str | None]]:
    """The ETA of each message that is about to be sent; None: at once."""
    collected: list[str | None] = []

    def collect(headers: dict[str, Any], **_: Any) -> None:
        assert headers["task"] == TASK
        collected.append(headers["eta"])

    before_task_publish.connect(collect)
    yield collected
    before_task_publish.disconnect(collect)


def celery_of(host: EventApp, broker: str = "memory://") -> Any:
    """The task."""
    celery = Celery("tests", broker=broker, set_as_current=False)
    return register(celery, host.app)


def test_a_commit_with_events_sends_one_message(host: EventApp, sent: list[str | None]) -> None:
    celery_of(host)

    host.emit(1, 2)
    host.db.session.commit()

    assert sent == [None]


def test_a_rollback_sends_none(host: EventApp, sent: list[str | None]) -> None:
    celery_of(host)

    host.done.emit({"id": 1, "title": "x"}, tenant_id="acme")
    host.db.session.rollback()
    host.db.session.commit()

    assert sent == []


def test_a_savepoint_sends_none_before_the_commit(host: EventApp, sent: list[str | None]) -> None:
    celery_of(host)

    with host.db.session.begin_nested():
        host.done.emit({"id": 1, "title": "x"}, tenant_id="acme")
    assert sent == []
    host.db.session.commit()

    assert sent == [None]


def test_the_task_delivers(host: EventApp, flows: Webhooks) -> None:
    task = celery_of(host)
    host.subscribe(flows.url_of("f1"))
    host.emit(1)

    task.apply().get()

    assert [each["id"] for each in flows.data_of("f1")] == [1]


def test_while_the_database_is_away_the_task_is_tried_again(host: EventApp, flows: Webhooks) -> None:
    task = celery_of(host)
    host.subscribe(flows.url_of("f1"))
    host.emit(1)
    retries = []

    with ExitStack() as outage:
        outage.enter_context(database_away(host.app))

        def come_back(reason: Retry, **_: Any) -> None:
            retries.append((type(reason.exc), reason.when))
            outage.close()

        task_retry.connect(come_back, sender=task)
        task.apply().get()

    assert retries == [(Unavailable, RETRY_SECONDS)]
    assert [each["id"] for each in flows.data_of("f1")] == [1]


def test_only_one_task_is_planned_for_the_next_attempt(
    host: EventApp, flows: Webhooks, sent: list[str | None]
) -> None:
    task = celery_of(host)
    host.subscribe(flows.url_of("f1"))
    flows.answer = always(503, Retry_After="60")
    host.emit(1)
    sent.clear()

    for _ in range(3):
        task.apply().get()

    assert len(sent) == 1
    assert sent[0] is not None


def test_without_a_broker_the_commit_succeeds_and_the_event_waits(
    host: EventApp, flows: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    celery_of(host, "amqp://guest:a-password@127.0.0.1:9//")
    host.subscribe(flows.url_of("f1"))

    host.emit(1)

    assert "broker" in caplog.text
    assert "a-password" not in caplog.text
    assert host.deliver() == 1


def test_celery_beat_looks_for_events_every_minute(host: EventApp) -> None:
    celery = Celery("tests", broker="memory://", set_as_current=False)
    celery.conf.beat_schedule = {"mine": {"task": "mine", "schedule": 1}}

    register(celery, host.app)

    assert set(celery.conf.beat_schedule) == {"mine", TASK}
    assert celery.conf.beat_schedule[TASK]["schedule"] == 60


def test_the_app_may_choose_how_often_beat_looks(host: EventApp) -> None:
    celery = Celery("tests", broker="memory://", set_as_current=False)
    celery.conf.beat_schedule = {TASK: {"task": TASK, "schedule": 5}}

    register(celery, host.app)

    assert celery.conf.beat_schedule[TASK]["schedule"] == 5
