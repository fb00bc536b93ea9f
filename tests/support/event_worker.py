"""``python -m tests.support.event_worker DIRECTORY SERVER DATABASE [BROKER]``: a worker that a test may kill.

With a broker, it is a worker of Celery.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from celery import Celery

from flask_activepieces.delivery.celery import register

from .events import EventApp, make_event_app


def make_celery(host: EventApp, broker: str) -> Celery:
    """The Celery of the app, with its task."""
    celery = Celery("events", broker=broker)
    celery.conf.update(
        task_default_queue="activepieces-events-test",
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": 3600} if broker.startswith("redis") else {},
    )
    register(celery, host.app)
    return celery


def main(directory: str, server: str, database: str, *broker: str) -> None:
    """Work until killed."""
    host = make_event_app(Path(directory), server, database=database)
    if not broker:
        host.delivery.worker(threads=8).run()
        return
    celery: Any = make_celery(host, broker[0])
    celery.worker_main(
        ["worker", "--beat", "--pool=threads", "--concurrency=2", "--loglevel=warning", "-s", "/dev/null"]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
