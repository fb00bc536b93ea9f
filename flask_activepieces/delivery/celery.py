"""Delivers events with the app's own Celery, on RabbitMQ or Redis.

    from flask_activepieces.delivery.celery import register

    register(celery_app, app)

The broker only transports tasks. The events are in the database, so if the broker is unreachable or loses its
messages, events are delayed but not lost.
"""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import Any

from sqlalchemy import update

from ..errors import Unavailable
from ..storage import tables
from ..storage.database import Database

log = logging.getLogger(__name__)

TASK = "flask_activepieces.deliver"
#: A task ends after this time, so that a worker can be restarted quickly. Another task continues.
TASK_SECONDS = 60
#: How often Celery beat, if it runs, starts a task.
BEAT_SECONDS = 60
#: Less than an hour, because Redis then gives the message to a second worker too.
LONGEST_COUNTDOWN = 600
RETRY_SECONDS = 10
#: How long a commit waits for an unreachable broker.
CONNECT_SECONDS = 2

_FOLLOW_UP = sha256(b"next delivery task").hexdigest()


def register(celery_app: Any, flask_app: Any) -> Any:
    """The task that delivers what is due for this app.

    It runs after each commit with events, when the next attempt is due, and every minute if Celery beat runs.
    """
    state = flask_app.extensions["activepieces"]
    delivery, database, clock = state.delivery, state.database, state.clock

    @celery_app.task(name=TASK, bind=True, ignore_result=True, max_retries=None)  # type: ignore[untyped-decorator]
    def deliver(task: Any) -> None:
        try:
            delivery.worker().run_once(seconds=TASK_SECONDS)
            seconds = delivery.dispatcher.seconds_until_due()
            wait = None if seconds is None else min(max(seconds, 1), LONGEST_COUNTDOWN)
            is_planned = wait is None or not _is_first(database, now=int(clock()), wait=wait)
        except Unavailable as error:
            raise task.retry(exc=error, countdown=RETRY_SECONDS) from error
        if not is_planned:
            _send(deliver, countdown=wait)

    delivery.outbox.notify_after_commit(lambda: _send(deliver))
    celery_app.conf.beat_schedule = {
        TASK: {"task": TASK, "schedule": BEAT_SECONDS},
        **(celery_app.conf.beat_schedule or {}),
    }
    return deliver


def _send(task: Any, **options: Any) -> None:
    try:
        with task.app.pool.acquire(block=True, timeout=CONNECT_SECONDS) as connection:
            try:
                # By default, kombu retries forever, and the request of the app would wait for the broker.
                connection.ensure_connection(
                    max_retries=1, interval_start=0, interval_step=0, timeout=CONNECT_SECONDS
                )
                task.apply_async(connection=connection, retry=False, **options)
            except Exception:
                connection.collapse()  # the next one makes a new connection
                raise
    except Exception as error:
        # Its text may contain the password of the broker.
        kind = type(error).__name__
        log.warning("The broker of Celery did not accept a task (%s). Events will be delivered later.", kind)


def _is_first(database: Database, *, now: int, wait: int) -> bool:
    """Plan a task for that time; False if one is already planned for that time or an earlier one.

    Otherwise, each task would plan another one, and their number would grow with each event.
    """
    leases, runs_at = tables.leases, now + wait
    is_later = (leases.c.expires_at <= now) | (leases.c.expires_at > runs_at)
    statement = update(leases).where(leases.c.name == _FOLLOW_UP, is_later).values(expires_at=runs_at)
    if database.write(statement):
        return True
    row = {"name": _FOLLOW_UP, "holder": "celery", "expires_at": runs_at}
    return database.insert_ignore(leases, row)
