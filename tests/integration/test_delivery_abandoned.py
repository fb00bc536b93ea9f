"""A flow that asked for its events and no longer does does not stay subscribed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from flask_activepieces.delivery.polling import Position
from flask_activepieces.delivery.subscriptions.records import Subscriber, Subscription
from flask_activepieces.errors import NotFound
from flask_activepieces.storage import tables
from tests.support.clock import StoppedClock
from tests.support.events import EventApp, make_event_app

SERVER = "https://flows.example.com"
WHO = Subscriber(
    tenant_id="acme",
    organization_id=None,
    user_id=None,
    client_id=None,
    grant_id=None,
    personal_token_id=None,
    scope="tasks:read",
)


@pytest.fixture
def host(tmp_path: Path, clock: StoppedClock) -> Iterator[EventApp]:
    made = make_event_app(tmp_path, SERVER, clock=clock)
    with made.app.app_context():
        made.db.create_all()
        yield made
        made.db.session.remove()
        made.db.engine.dispose()


def asking(host: EventApp) -> Position:
    """The position of a flow that has begun to ask."""
    position: Position = host.delivery.polling.begin(WHO, host.done, inputs={}).position
    return position


def subscription_of(host: EventApp, position: Position) -> Subscription:
    found: Subscription = host.delivery.subscriptions.get(position.subscription_id, tenant_id="acme")
    return found


def prune(host: EventApp) -> dict[str, int]:
    """How many rows were deleted of each table."""
    result = host.app.test_cli_runner().invoke(args=["activepieces", "prune", "--json"])
    assert result.exit_code == 0, result.output
    deleted: dict[str, int] = json.loads(result.stdout)
    return deleted


def test_a_flow_that_stopped_asking_is_removed_after_the_retention(host: EventApp, clock: StoppedClock) -> None:
    position = asking(host)
    clock.advance(days=29)
    host.emit(1)
    host.delivery.dispatcher.distribute()
    assert "activepieces_subscriptions" not in prune(host)

    clock.advance(days=1)

    assert prune(host)["activepieces_subscriptions"] == 1
    with pytest.raises(NotFound):
        subscription_of(host, position)
    assert [each.state for each in host.logged()] == ["dead"]
    audit = tables.audit_events.c
    removed = host.db.session.execute(select(audit.detail).where(audit.name == "subscription.removed")).scalar_one()
    assert "no longer asks" in removed


def test_a_flow_that_asks_stays(host: EventApp, clock: StoppedClock) -> None:
    position = asking(host)
    for _ in range(3):
        clock.advance(days=20)
        host.delivery.polling.read(host.done, subscription_of(host, position), position, scopes=["tasks:read"])

        assert "activepieces_subscriptions" not in prune(host)

    assert subscription_of(host, position).state == "active"


def test_a_paused_flow_that_asks_stays(host: EventApp, clock: StoppedClock) -> None:
    position = asking(host)
    host.delivery.subscriptions.pause(position.subscription_id, tenant_id="acme", reason="a test")
    clock.advance(days=20)
    host.delivery.polling.read(host.done, subscription_of(host, position), position, scopes=["tasks:read"])
    clock.advance(days=20)

    prune(host)

    assert subscription_of(host, position).state == "paused"


def test_a_flow_with_a_webhook_stays(host: EventApp, clock: StoppedClock) -> None:
    subscription, _ = host.subscribe(f"{SERVER}/api/v1/webhooks/f1")
    clock.advance(days=1000)

    prune(host)

    assert host.state_of(subscription) == "active"
