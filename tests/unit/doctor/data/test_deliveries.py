"""The delivery of events, and the nightly job."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from flask_activepieces.doctor.data.deliveries import check_deliveries, check_prune
from flask_activepieces.state import State, get_state
from flask_activepieces.storage.event_tables import deliveries, events, subscriptions
from flask_activepieces.storage.tables import revocations
from tests.conftest import MakeApp
from tests.support.clock import StoppedClock
from tests.support.doctor import codes, only

DAY = 86_400
LONG_AGO = 3600


@pytest.fixture
def state(make_app: MakeApp) -> State:
    return get_state(make_app())


def add_event(to: State, **changed: Any) -> None:
    row = {"id": 1, "uid": "evt_1", "tenant_id": "acme", "organization_id": "", "user_id": None, "payload": "{}"}
    row |= {"trigger_name": "done", "created_at": to.now(), "pending": 1}
    to.database.write(insert(events), row | changed)


def add_subscription(to: State, **changed: Any) -> None:
    row = dict.fromkeys(subscriptions.columns.keys())
    row |= {"id": "sub", "tenant_id": "acme", "organization_id": "", "trigger_name": "done", "target_hash": "hash"}
    row |= {
        "server": "https://ap.example.com",
        "inputs": "{}",
        "scope": "",
        "encrypted_secret": "",
        "state": "active",
    }
    row |= {"created_at": 0, "renewed_at": 0, "lease_until": 0, "failures": 0, "max_requests": 1}
    to.database.write(insert(subscriptions), row | changed)


def add_delivery(to: State, **changed: Any) -> None:
    row = dict.fromkeys(deliveries.columns.keys())
    row |= {"id": 1, "event_id": 1, "subscription_id": "sub", "tenant_id": "acme", "state": "dead", "attempts": 5}
    row |= {"due_at": 0, "created_at": to.now(), "updated_at": to.now()}
    to.database.write(insert(deliveries), row | changed)


def test_events_that_no_worker_takes_are_found(state: State) -> None:
    add_event(state, created_at=state.now() - LONG_AGO)

    assert "has waited since 15 Jan 2027, 07:00 UTC" in only(check_deliveries(state, None), "outbox-old").seen
    assert codes(check_deliveries(state, "globex")) == []


def test_deliveries_that_are_late_are_found(state: State) -> None:
    add_subscription(state, due_at=state.now() - LONG_AGO)

    assert "flask activepieces deliver" in only(check_deliveries(state, "acme"), "deliveries-late").remedy
    assert codes(check_deliveries(state, "globex")) == []


def test_a_server_that_cannot_be_reached_is_found(state: State) -> None:
    add_subscription(state, failures=3)

    assert (
        "https://ap.example.com cannot be reached"
        in only(check_deliveries(state, None), "subscriptions-failing").seen
    )


def test_paused_subscriptions_are_found_with_the_reason(state: State) -> None:
    add_subscription(state, state="paused", state_reason="the flow is over its quota")

    finding = only(check_deliveries(state, None), "subscriptions-paused")

    assert finding.seen == "Paused, because the flow is over its quota: sub."


def test_dead_deliveries_are_found(state: State) -> None:
    add_subscription(state)
    add_delivery(state)

    assert (
        only(check_deliveries(state, None), "deliveries-dead").seen
        == "Deliveries that were given up in the last day: 1."
    )


def test_what_is_being_delivered_is_not_reported(state: State) -> None:
    add_event(state)
    add_event(state, id=2, uid="evt_2", created_at=state.now() - LONG_AGO, pending=None)
    add_subscription(state, due_at=state.now(), failures=1)
    held = {"due_at": state.now() - LONG_AGO, "lease_until": state.now() + 60}
    add_subscription(state, id="held", target_hash="other", **held)
    add_delivery(state, state="delivered")
    add_delivery(state, id=2, event_id=2, updated_at=state.now() - DAY)
    add_delivery(state, id=3, event_id=3, subscription_id="of a flow that was disabled")

    assert codes(check_deliveries(state, None)) == []


def test_expired_rows_are_found_after_two_nights(state: State, clock: StoppedClock) -> None:
    row = {"subject": "token:1", "created_at": state.now(), "expires_at": state.now()}
    state.database.write(insert(revocations), row)
    assert codes(check_prune(state)) == []

    clock.advance(days=2)

    assert "activepieces_revocations" in only(check_prune(state), "prune-overdue").seen
