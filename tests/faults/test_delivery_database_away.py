"""While the database is unreachable, events wait; afterwards all of them are delivered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tests.support.databases import MARIADB, POSTGRES, Kind, fresh_database
from tests.support.event_worker import LEASE_SECONDS
from tests.support.events import Received, Webhooks, make_event_app, webhooks
from tests.support.proxies import Proxy, proxy_for

SECONDS = 60


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.mark.postgres
def test_connections_that_the_database_closes_during_deliveries_delay_nothing(
    flows: Webhooks, tmp_path: Path
) -> None:
    with fresh_database("postgres", tmp_path) as database:
        host, one_at_a_time = make_event_app(tmp_path, flows.url, database=database), Lock()

        def close_all(received: Received) -> tuple[int, Mapping[str, str]]:
            with one_at_a_time:
                close_connections(database)
            return 200, {}

        with host.app.app_context():
            host.db.create_all()
            host.subscribe(flows.url_of("any"))
            host.subscribe(flows.url_of("ordered"), "task_moved")
            host.emit(1, 2, 3)
            host.emit(4, 5, 6, trigger=host.moved)
            flows.answer = close_all

            assert host.deliver() == 6

            host.db.session.remove()
            assert {each.state for each in host.logged()} == {"delivered"}
            host.db.engine.dispose()
    assert sorted(each["id"] for each in flows.data_of("any")) == [1, 2, 3]
    assert [each["id"] for each in flows.data_of("ordered")] == [4, 5, 6]


@pytest.mark.parametrize("kind", [POSTGRES, MARIADB])
def test_an_outage_of_the_database_delays_events_and_loses_none(
    kind: Kind, flows: Webhooks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with fresh_database(kind, tmp_path) as database, proxy_for(database) as proxy:
        settings: dict[str, Any] = {"ACTIVEPIECES_DELIVERY_LEASE": LEASE_SECONDS}
        host = make_event_app(tmp_path, flows.url, database=proxy.through(database), **settings)
        worker = host.delivery.worker(threads=4)
        with host.app.app_context():
            host.db.create_all()
            host.subscribe(flows.url_of("any"))
            host.subscribe(flows.url_of("ordered"), "task_moved")
            host.emit(*range(30))
            host.emit(*range(30, 60), trigger=host.moved)
            flows.answer = CutsAfter(20, proxy)
            thread = Thread(target=worker.run)
            thread.start()
            try:
                wait_until(lambda: "Trying again" in caplog.text)
                with pytest.raises(DBAPIError):
                    host.emit(-1)
                host.db.session.rollback()
                proxy.open()

                wait_until(lambda: not host.logged(state="pending"))
            finally:
                worker.stop()
                thread.join()
            assert {each.state for each in host.logged()} == {"delivered"}
            host.db.session.remove()
            host.db.engine.dispose()

    ids = {(each.data["id"], each.event_id) for each in flows.received}
    assert sorted(number for number, _ in ids) == list(range(60)), "each has one id"
    ordered = [each["id"] for each in flows.data_of("ordered")]
    assert ordered == sorted(ordered)


class CutsAfter:
    """Accepts everything; after this number of requests the database is unreachable."""

    def __init__(self, number: int, proxy: Proxy) -> None:
        self._left = number
        self._proxy = proxy

    def __call__(self, received: Received) -> tuple[int, Mapping[str, str]]:
        self._left -= 1
        if self._left == 0:
            self._proxy.close()
        return 200, {}


def close_connections(database: str) -> None:
    """Close all connections to this database of PostgreSQL, as a restart does."""
    engine = create_engine(make_url(database), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until this is the case."""
    give_up_at = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
