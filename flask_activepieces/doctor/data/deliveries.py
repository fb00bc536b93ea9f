"""The delivery of events, and the nightly job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from ...clock import format_for_people
from ...state import State
from ...storage.event_tables import deliveries, events, subscriptions
from ...storage.maintenance import overdue_tables
from ..findings import Findings, Kind

OUTBOX = Kind("outbox-old", "error", "Flows do not start: no worker takes the events.")
LATE = Kind("deliveries-late", "error", "Flows start late, or not at all.")
FAILING = Kind("subscriptions-failing", "error", "These flows do not start until their server can be reached again.")
PAUSED = Kind("subscriptions-paused", "warning", "These flows do not start; their events wait, and then expire.")
DEAD = Kind("deliveries-dead", "warning", "Flows missed these events.")
PRUNE = Kind("prune-overdue", "warning", "The tables grow, and the app becomes slower.")

#: Seconds that an event may wait for a worker.
_PATIENCE = 15 * 60
_DAY = 86_400
#: In a row. Before, the server may just have been restarted.
_FAILURES = 3
#: The nightly job may have failed once.
_NIGHTS = 2

_WORKER = "Run flask activepieces deliver as a service, or more of them."


def check_deliveries(state: State, tenant_id: str | None) -> Findings:
    """Workers keep up, and flows accept what they are sent."""
    now = state.now()
    oldest = _value(state, events, tenant_id, func.min(events.c.created_at), events.c.pending == 1)
    if oldest is not None and oldest < now - _PATIENCE:
        yield OUTBOX.found(f"The oldest event has waited since {format_for_people(oldest)}.", _WORKER)
    late = _value(
        state,
        subscriptions,
        tenant_id,
        func.min(subscriptions.c.due_at),
        (subscriptions.c.state == "active") & (subscriptions.c.lease_until <= now),
    )
    if late is not None and late < now - _PATIENCE:
        yield LATE.found(f"A delivery has been due since {format_for_people(late)}.", _WORKER)
    yield from _subscriptions(state, tenant_id)
    dead = _value(
        state,
        deliveries,
        tenant_id,
        func.count(),
        (deliveries.c.state == "dead")
        & (deliveries.c.updated_at > now - _DAY)
        # What was sent to a flow that was disabled since is not missed.
        & deliveries.c.subscription_id.in_(select(subscriptions.c.id)),
    )
    if dead:
        yield DEAD.found(
            f"Deliveries that were given up in the last day: {dead}.",
            "Look for the reason: flask activepieces deliveries list --state dead. Then send them again: flask"
            " activepieces deliveries replay.",
        )


def check_prune(state: State) -> Findings:
    """The nightly job has run."""
    at = state.now() - _NIGHTS * _DAY
    names = overdue_tables(state.database, now=at, delivery_days=state.settings.delivery_retention_days)
    if names:
        yield PRUNE.found(
            f"Rows that expired more than {_NIGHTS} days ago are still in {', '.join(names)}.",
            "Run flask activepieces prune every night.",
        )


def _subscriptions(state: State, tenant_id: str | None) -> Findings:
    table = subscriptions.c
    failing = _rows(state, tenant_id, (table.state == "active") & (table.failures >= _FAILURES))
    for server in sorted({row.server for row in failing}):
        count = sum(row.server == server for row in failing)
        yield FAILING.found(
            f"{server} cannot be reached for {count} of the subscriptions.",
            "Check that this Activepieces runs, and that this machine can reach it.",
        )
    paused = _rows(state, tenant_id, table.state == "paused")
    for reason in sorted({row.state_reason or "" for row in paused}):
        ids = [row.id for row in paused if (row.state_reason or "") == reason]
        yield PAUSED.found(
            f"Paused, because {reason or 'someone paused them'}: {', '.join(ids)}.",
            "Remove the cause. Then: flask activepieces deliveries resume.",
        )


def _rows(state: State, tenant_id: str | None, condition: ColumnElement[bool]) -> Sequence[Any]:
    statement = select(subscriptions.c.id, subscriptions.c.server, subscriptions.c.state_reason).where(condition)
    if tenant_id is not None:
        statement = statement.where(subscriptions.c.tenant_id == tenant_id)
    return state.database.read(lambda conn: conn.execute(statement.order_by(subscriptions.c.id)).all())


def _value(
    state: State, table: Table, tenant_id: str | None, column: ColumnElement[Any], condition: ColumnElement[bool]
) -> Any:
    statement = select(column).select_from(table).where(condition)
    if tenant_id is not None:
        statement = statement.where(table.c.tenant_id == tenant_id)
    return state.database.read(lambda conn: conn.scalar(statement))
