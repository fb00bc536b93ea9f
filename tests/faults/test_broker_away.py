"""While the broker of Celery is unreachable, the app works on and events wait; afterwards they are delivered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import fresh_database
from tests.support.event_worker import Deployment, running_workers
from tests.support.events import Webhooks, webhooks
from tests.support.proxies import proxy_for
from tests.support.requirements import Name, require

SECONDS = 60

pytestmark = pytest.mark.long


@pytest.fixture
def flows() -> Iterator[Webhooks]:
    with webhooks() as running:
        yield running


@pytest.mark.parametrize(
    "broker", [pytest.param("rabbitmq", marks=pytest.mark.rabbitmq), pytest.param("redis", marks=pytest.mark.redis)]
)
def test_an_outage_of_the_broker_delays_events_and_loses_none(broker: Name, flows: Webhooks, tmp_path: Path) -> None:
    with fresh_database("sqlite", tmp_path) as database, proxy_for(require(broker)) as proxy:
        deployment = Deployment(tmp_path, flows.url, database, proxy.through(require(broker)))
        host = deployment.make_app()
        with host.app.app_context():
            host.db.create_all()
            host.subscribe(flows.url_of("f1"))
            with running_workers(deployment, 1):
                host.emit(1)
                wait_for(flows, {1})

                proxy.close()
                host.emit(2, 3)
                host.emit(4)
                proxy.open()

                wait_for(flows, {1, 2, 3, 4})
            host.db.session.remove()
            host.db.engine.dispose()

    assert sorted(each["id"] for each in flows.data_of("f1")) == [1, 2, 3, 4], "each once"


def wait_for(flows: Webhooks, numbers: set[int]) -> None:
    """Wait until these events have arrived."""
    give_up_at = time.monotonic() + SECONDS
    while numbers != {each["id"] for each in flows.data_of("f1")}:
        assert time.monotonic() < give_up_at, f"only {flows.data_of('f1')} arrived"
        time.sleep(0.05)
