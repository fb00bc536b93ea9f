"""Workers in processes of their own, which a test may kill."""

from __future__ import annotations

import multiprocessing
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import redis
from celery import Celery

from flask_activepieces.delivery.celery import TASK, register

from .events import EventApp, make_event_app

#: The shortest, so that what a killed worker had does not wait for long.
LEASE_SECONDS = 9
BEAT_SECONDS = 2

_processes = multiprocessing.get_context("forkserver")
# A worker begins at once, because the process that it is forked from has imported everything.
_processes.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Deployment:
    """An app and its workers, which share a database, and a broker if they are Celery's."""

    directory: Path
    server: str
    database: str
    broker: str = ""
    queue: str = field(default_factory=lambda: f"activepieces-test-{secrets.token_hex(6)}")

    def make_app(self) -> EventApp:
        """The app; with a broker, it sends a message after each commit with events."""
        host, _ = self._make()
        return host

    def start_worker(self) -> BaseProcess:
        """A worker that has started."""
        return _start(self.work)

    def work(self) -> None:
        """Work until killed."""
        host, celery = self._make()
        if celery is None:
            host.delivery.worker(threads=8).run()
        else:
            options = ["--pool=threads", "--concurrency=2", "--without-mingle", "--without-gossip"]
            celery.worker_main(["worker", "--loglevel=warning", *options])

    def beat(self) -> None:
        """Run Celery beat until killed; not in a worker, because killing that would leave its process of beat."""
        _, celery = self._make()
        assert celery is not None
        celery.Beat(loglevel="WARNING", scheduler_cls="celery.beat:Scheduler", quiet=True).run()

    def _make(self) -> tuple[EventApp, Celery | None]:
        settings: dict[str, Any] = {
            "ACTIVEPIECES_DELIVERY_LEASE": LEASE_SECONDS,
            # What a killed worker had counts until its lease ends.
            "ACTIVEPIECES_DELIVERIES_PER_SERVER": 20,
        }
        host = make_event_app(self.directory, self.server, database=self.database, **settings)
        return host, self._make_celery(host) if self.broker else None

    def _make_celery(self, host: EventApp) -> Celery:
        celery = Celery("events", broker=self.broker, set_as_current=False)
        celery.conf.update(
            task_default_queue=self.queue,
            worker_hijack_root_logger=False,
            worker_enable_remote_control=False,
            broker_connection_retry_on_startup=True,
            broker_transport_options={"global_keyprefix": self.queue} if self._uses_redis else {},
            beat_schedule={TASK: {"task": TASK, "schedule": BEAT_SECONDS}},
        )
        register(celery, host.app)
        return celery

    @property
    def _uses_redis(self) -> bool:
        return self.broker.startswith("redis")

    def clean_broker(self) -> None:
        """Delete what this deployment left at the broker."""
        if self._uses_redis:
            with redis.Redis.from_url(self.broker) as client:
                for key in client.scan_iter(f"{self.queue}*"):
                    client.delete(key)
        elif self.broker:
            celery: Any = Celery(broker=self.broker, set_as_current=False)
            with celery.connection_for_write() as connection:
                connection.default_channel.queue_delete(self.queue)
                connection.default_channel.exchange_delete(self.queue)


@contextmanager
def running_workers(deployment: Deployment, count: int) -> Iterator[list[BaseProcess]]:
    """Workers, and Celery beat if they are Celery's; a test may replace workers in the list."""
    beats = [_start(deployment.beat)] if deployment.broker else []
    workers = [deployment.start_worker() for _ in range(count)]
    try:
        yield workers
    finally:
        for process in (*workers, *beats):
            process.kill()
            process.join()
        deployment.clean_broker()


def _start(work: Callable[[], None]) -> BaseProcess:
    process = _processes.Process(target=work)
    process.start()
    return process
