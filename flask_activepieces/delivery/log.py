"""The log of deliveries: events, their flows, and the result of the last attempt. Deliveries can be sent again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, case, or_, select, update

from ..clock import Clock
from ..errors import InvalidInput, NotFound
from ..messages import Message
from ..pieces.declarations import Trigger
from ..storage.audit import Audit, Event
from ..storage.database import Database, Transaction
from ..storage.event_tables import deliveries, events, subscriptions
from .attempts import Result
from .outcomes import wait_seconds


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event for one subscription. What begins with ``last_`` is the result of the last attempt."""

    id: int
    event_id: str
    trigger_name: str
    subscription_id: str
    tenant_id: str
    state: str
    attempts: int
    last_status: int | None
    last_error: str | None
    last_ms: int | None
    last_response: str | None
    due_at: int
    created_at: int
    updated_at: int
    #: Those of the subscription, and its webhook; None if it was removed.
    scope: str | None
    webhook_url: str | None
    #: The event as the app emitted it, with the fields that only some scopes allow.
    stored_payload: Any = field(repr=False)

    def visible_payload(self, triggers: Mapping[str, Trigger]) -> Any:
        """The payload as the flow gets it. None if it is unknown, because the trigger is no longer declared.

        After the subscription was removed, only the fields that need no scope of their own.
        """
        trigger = triggers.get(self.trigger_name)
        return trigger and trigger.visible_payload(self.stored_payload, (self.scope or "").split())


class DeliveryLog:
    """The deliveries of one app.

    ``organizations`` are those of the tenant whose events a user may see, among them None, the tenant as a whole.
    ``user_id`` is the admin who sends events again. Operators see the events of all tenants and organizations: for
    them, all three are None.
    """

    def __init__(self, database: Database, *, clock: Clock, audit: Audit) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    def list(
        self,
        tenant_id: str | None,
        *,
        organizations: Collection[str | None] | None = None,
        state: str | None = None,
        subscription_id: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:
        """The newest deliveries."""
        statement = _ALL.order_by(deliveries.c.id.desc()).limit(limit)
        for column, value in (
            (deliveries.c.tenant_id, tenant_id),
            (deliveries.c.state, state),
            (deliveries.c.subscription_id, subscription_id),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if organizations is not None:
            statement = statement.where(_is_of(organizations))
        if before is not None:
            statement = statement.where(deliveries.c.id < before)
        return self._database.read(lambda conn: [_from_row(row) for row in conn.execute(statement)])

    def get(
        self, delivery_id: int, *, tenant_id: str | None, organizations: Collection[str | None] | None = None
    ) -> Delivery:
        """One delivery; `NotFound` for any other."""
        statement = _ALL.where(deliveries.c.id == delivery_id)
        if tenant_id is not None:
            statement = statement.where(deliveries.c.tenant_id == tenant_id)
        if organizations is not None:
            statement = statement.where(_is_of(organizations))
        row = self._database.read(lambda conn: conn.execute(statement).one_or_none())
        if row is None:
            raise NotFound("delivery", str(delivery_id))
        return _from_row(row)

    def has_dead(self, tenant_id: str, *, organizations: Collection[str | None], since: int) -> bool:
        """Whether an event that was due since this time was given up, and its flow still gets events."""
        names = [name or "" for name in organizations]
        flows = select(subscriptions.c.id).where(
            subscriptions.c.tenant_id == tenant_id, subscriptions.c.organization_id.in_(names)
        )
        # By subscription, state and ``due_at`` there is an index, so that older ones are not read.
        dead = (
            select(deliveries.c.id)
            .join(events, events.c.id == deliveries.c.event_id)
            .where(deliveries.c.tenant_id == tenant_id, deliveries.c.subscription_id.in_(flows))
            .where(deliveries.c.state == "dead", deliveries.c.due_at >= since, events.c.organization_id.in_(names))
            .limit(1)
        )
        return self._database.read(lambda conn: conn.execute(dead).first()) is not None

    def replay(
        self,
        delivery_id: int,
        *,
        tenant_id: str | None,
        organizations: Collection[str | None] | None = None,
        user_id: str | None = None,
    ) -> None:
        """Send it again, with the same event id and the current secret."""
        found = self.get(delivery_id, tenant_id=tenant_id, organizations=organizations)
        now = int(self._clock())

        def run(transaction: Transaction) -> None:
            if not _replay(transaction, [found.id], {found.subscription_id}, now=now):
                raise InvalidInput({"delivery": Message("The flow no longer gets events. Enable its trigger first.")})
            detail = {"delivery": str(found.id), "trigger": found.trigger_name, "subscription": found.subscription_id}
            self._audit.record(transaction, _event(found.tenant_id, 1, now, user_id, detail))

        self._database.run_in_transaction(run)

    def replay_dead(
        self,
        tenant_id: str,
        *,
        organizations: Collection[str | None],
        subscription_id: str | None = None,
        limit: int,
        user_id: str | None = None,
    ) -> int:
        """Send the tenant's dead deliveries again, the oldest first; returns how many.

        Only those to flows that still get events; with ``subscription_id``, only those to one flow.
        """
        now = int(self._clock())
        dead = (
            select(deliveries.c.id, deliveries.c.subscription_id)
            .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
            .join(events, events.c.id == deliveries.c.event_id)
            .where(deliveries.c.tenant_id == tenant_id, deliveries.c.state == "dead", _is_of(organizations))
            .order_by(deliveries.c.id)
            .limit(limit)
        )
        if subscription_id is not None:
            dead = dead.where(deliveries.c.subscription_id == subscription_id)

        def run(transaction: Transaction) -> int:
            rows = transaction.conn.execute(dead).all()
            if rows:
                _replay(transaction, [row.id for row in rows], {row.subscription_id for row in rows}, now=now)
                detail = {"subscription": subscription_id} if subscription_id is not None else {}
                self._audit.record(transaction, _event(tenant_id, len(rows), now, user_id, detail))
            return len(rows)

        return self._database.run_in_transaction(run)


def _event(tenant_id: str, count: int, now: int, user_id: str | None, detail: Mapping[str, str]) -> Event:
    """So many deliveries are sent again."""
    return Event(
        name="delivery.replayed", at=now, tenant_id=tenant_id, user_id=user_id, detail={"count": str(count), **detail}
    )


def _replay(transaction: Transaction, ids: Sequence[int], subscription_ids: Collection[str], *, now: int) -> bool:
    """Let these deliveries begin again; False if none of their subscriptions exists any more."""
    # Before the deliveries: a worker that gives the subscription back meanwhile has to wait, and then sees them.
    subscription = subscriptions.c
    due_at = case((subscription.state == "active", now), else_=None)
    wake = update(subscriptions).where(subscription.id.in_(sorted(subscription_ids))).values(due_at=due_at)
    if not transaction.execute_rowcount(wake):
        return False
    values = {"state": "pending", "due_at": now, "attempts": 0, "created_at": now, "updated_at": now}
    transaction.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(**values))
    return True


def store_results(transaction: Transaction, results: Sequence[Result], *, now: int) -> None:
    """Write the results."""
    if results:
        # Always in this order, so that two workers cannot wait for each other.
        rows = [_row(result, now) for result in sorted(results, key=lambda result: result.due.id)]
        transaction.conn.execute(_UPDATE, rows)


def mark_old_as_dead(
    transaction: Transaction, subscription_id: str, *, waiting_since: int, reason: str, now: int
) -> None:
    """Mark pending deliveries as dead that began to wait before this time, even without any attempt."""
    transaction.execute(
        update(deliveries)
        .where(
            deliveries.c.subscription_id == subscription_id,
            deliveries.c.state == "pending",
            deliveries.c.created_at < waiting_since,
        )
        .values(state="dead", last_error=reason, updated_at=now)
    )


def _is_of(organizations: Collection[str | None]) -> ColumnElement[bool]:
    """Whether the event is of one of these, and so is the flow, if it still gets events."""
    names = [name or "" for name in organizations]
    flow = (
        select(subscriptions.c.organization_id)
        .where(subscriptions.c.id == deliveries.c.subscription_id)
        .correlate(deliveries)
        .scalar_subquery()
    )
    return and_(events.c.organization_id.in_(names), or_(flow.is_(None), flow.in_(names)))


_ALL: Select[Any] = (
    select(deliveries, events.c.uid, events.c.trigger_name, events.c.payload)
    .add_columns(subscriptions.c.scope, subscriptions.c.webhook_url)
    .join_from(deliveries, events, events.c.id == deliveries.c.event_id)
    .outerjoin(
        subscriptions,
        (subscriptions.c.id == deliveries.c.subscription_id) & (subscriptions.c.tenant_id == deliveries.c.tenant_id),
    )
)


def _from_row(row: Row[Any]) -> Delivery:
    same = {name: getattr(row, name) for name in Delivery.__dataclass_fields__ if name in row._fields}
    return Delivery(**{**same, "event_id": row.uid, "stored_payload": json.loads(row.payload)})


_WRITTEN = ("state", "due_at", "attempts", "last_status", "last_error", "last_ms", "last_response", "updated_at")
_UPDATE = (
    update(deliveries)
    # Not what another worker, whose lease began when this one's had ended, has delivered.
    .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.state == "pending")
    .values({name: bindparam(name) for name in _WRITTEN})
)


def _row(result: Result, now: int) -> dict[str, Any]:
    attempt, reason = result.attempt, result.outcome.reason
    attempts = result.due.attempts + 1
    return {
        "delivery_id": result.due.id,
        "state": result.outcome.state,
        "due_at": now + wait_seconds(attempts, at_least=attempt.retry_after if attempt else None),
        "attempts": attempts if attempt else result.due.attempts,
        "last_status": attempt.status if attempt else None,
        "last_error": reason and reason[:300],
        "last_ms": attempt.milliseconds if attempt else None,
        "last_response": attempt.response if attempt else None,
        "updated_at": now,
    }
