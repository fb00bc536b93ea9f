"""Distributes the events: one delivery for each subscription that an event is for.

Only one transaction does this at a time, behind the lock of one row. So events are distributed in the order in which
they were committed, and none is seen by two workers. With SKIP LOCKED instead, two workers could distribute two
events in the wrong order; SQLite and MariaDB before 10.6 do not have it either.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import ColumnElement, and_, case, delete, exists, insert, literal, or_, select, update

from . import tables
from .database import Transaction
from .dialects import upsert
from .event_tables import deliveries, events, subscriptions

#: How many events one transaction distributes.
BATCH = 500

_LOCK = sha256(b"distribute events").hexdigest()
_COLUMNS = ("event_id", "subscription_id", "tenant_id", "state", "due_at", "attempts", "created_at", "updated_at")


def lock_distribution(transaction: Transaction, now: int) -> None:
    """Wait until no other transaction distributes or removes subscriptions; none does until the commit."""
    values = {"name": _LOCK, "holder": "distribution", "expires_at": now + 86_400}
    transaction.execute(upsert(tables.leases, transaction.dialect, ["expires_at"]), values)


def distribute_events(transaction: Transaction, now: int) -> int:
    """Distribute the oldest new events; returns how many. The caller has the lock."""
    waiting = select(events.c.id).where(events.c.pending == 1).order_by(events.c.id).limit(BATCH)
    # By their ids in all statements: an event with a smaller id may be committed at any moment.
    ids = list(transaction.execute(waiting).scalars())
    if not ids:
        return 0
    given = [literal("pending"), literal(now), literal(0), literal(now), literal(now)]
    pairs = (
        select(events.c.id, subscriptions.c.id, events.c.tenant_id, *given)
        .join_from(events, subscriptions, _gets_event())
        .where(events.c.id.in_(ids))
        .order_by(events.c.id)
    )
    transaction.execute(insert(deliveries).from_select(_COLUMNS, pairs))
    _wake(transaction, ids, now)
    # What no flow waits for is not kept.
    is_wanted = exists().where(deliveries.c.event_id == events.c.id)
    transaction.execute(delete(events).where(events.c.id.in_(ids), ~is_wanted))
    transaction.execute(update(events).where(events.c.id.in_(ids)).values(pending=None))
    return len(ids)


def _wake(transaction: Transaction, event_ids: Sequence[int], now: int) -> None:
    """The subscriptions with new deliveries are due.

    All of their rows are written, also where nothing changes: a worker that gives one back at this moment has to wait
    for the commit, and then sees the new deliveries.
    """
    subscription = subscriptions.c
    becomes_due = and_(
        subscription.state == "active",
        subscription.webhook_url.is_not(None),
        # A worker that has it looks for new deliveries when it gives it back.
        subscription.lease_until <= now,
        # One that waits for its server waits on; one that is due keeps its place in the queue.
        or_(subscription.due_at.is_(None), and_(subscription.failures == 0, subscription.due_at > now)),
    )
    woken = select(deliveries.c.subscription_id).where(deliveries.c.event_id.in_(event_ids)).scalar_subquery()
    due_at = case((becomes_due, now), else_=subscription.due_at)
    transaction.execute(update(subscriptions).where(subscription.id.in_(woken)).values(due_at=due_at))


def _gets_event() -> ColumnElement[bool]:
    subscription, event = subscriptions.c, events.c
    return and_(
        subscription.tenant_id == event.tenant_id,
        subscription.trigger_name == event.trigger_name,
        # An event of the tenant as a whole is for all of its organizations, and a subscription of the tenant as a
        # whole gets the events of all of them.
        or_(
            event.organization_id == "",
            subscription.organization_id == "",
            subscription.organization_id == event.organization_id,
        ),
        or_(event.user_id.is_(None), subscription.user_id == event.user_id),
    )
