"""Distributes new events to subscriptions, and gives workers the subscriptions for which something is due.

One worker at a time does this, in a transaction of a few milliseconds, behind the lock of one row. So events are
distributed in the order in which they were committed, no event is seen by two workers, and the number of simultaneous
deliveries to a server is exact. (With SKIP LOCKED instead, two workers could distribute two events in the wrong
order, and MariaDB before 10.6 and SQLite do not have it.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, insert, literal, or_, select, update

from ..clock import Clock
from ..storage import tables
from ..storage.database import Database, Transaction
from ..storage.dialects import upsert
from ..storage.event_tables import deliveries, events, subscriptions

#: How many events one transaction distributes.
EVENT_BATCH = 500
#: For how many seconds a worker has a subscription; after a crash another worker takes over then.
LEASE_SECONDS = 120

_LOCK = sha256(b"distribute events").hexdigest()


@dataclass(frozen=True)
class Claim:
    """A subscription that this worker delivers to, until the lease ends."""

    subscription_id: str
    holder: str
    lease_until: int


class Dispatcher:
    """The dispatcher of one app; ``per_server``: how many subscriptions of one server are served at once."""

    def __init__(self, database: Database, *, clock: Clock, per_server: int) -> None:
        self._database = database
        self._clock = clock
        self._per_server = per_server

    def distribute(self) -> int:
        """Distribute new events; returns how many there were, at most a batch."""
        return self._database.run_in_transaction(lambda transaction: self._distribute(transaction))

    def claim(self, holder: str, *, limit: int) -> Sequence[Claim]:
        """Distribute new events, and lease up to ``limit`` subscriptions for which something is due."""

        def run(transaction: Transaction) -> Sequence[Claim]:
            self._distribute(transaction)
            return self._lease(transaction, holder, limit)

        return self._database.run_in_transaction(run)

    def release(self, claim: Claim) -> bool:
        """Give the subscription back, due again when its next delivery is; False if new events have come.

        The caller then goes on, because such an event wakes no other worker.
        """
        subscription = subscriptions.c
        next_due = (
            select(func.min(deliveries.c.due_at))
            .where(deliveries.c.subscription_id == claim.subscription_id, deliveries.c.state == "pending")
            .scalar_subquery()
        )

        def run(transaction: Transaction) -> bool:
            # First what came meanwhile, then what is left: an event between the two changes ``wakeups``.
            current = select(subscription.wakeups, subscription.holder).where(
                subscription.id == claim.subscription_id
            )
            row = transaction.execute(current).one_or_none()
            if row is None or row.holder != claim.holder:
                return True
            due_at = transaction.execute(select(next_due)).scalar()
            statement = (
                update(subscriptions)
                .where(
                    subscription.id == claim.subscription_id,
                    subscription.holder == claim.holder,
                    subscription.wakeups == row.wakeups,
                )
                .values(
                    due_at=case((subscription.state == "active", literal(due_at, BigInteger())), else_=None),
                    lease_until=0,
                    holder=None,
                    failures=0,
                )
            )
            return transaction.execute_rowcount(statement) == 1

        return self._database.run_in_transaction(run)

    def postpone(self, claim: Claim, *, until: int, failures: int) -> None:
        """Give the subscription back, due again at that time whatever waits."""
        statement = (
            update(subscriptions)
            .where(subscriptions.c.id == claim.subscription_id, subscriptions.c.holder == claim.holder)
            .values(due_at=until, lease_until=0, holder=None, failures=failures)
        )
        self._database.write(statement)

    def _distribute(self, transaction: Transaction) -> int:
        now = int(self._clock())
        self._lock(transaction, now)
        waiting = select(events.c.id).where(events.c.pending == 1).order_by(events.c.id).limit(EVENT_BATCH)
        ids = list(transaction.execute(waiting).scalars())
        if not ids:
            return 0
        columns = [
            "event_id",
            "subscription_id",
            "tenant_id",
            "state",
            "due_at",
            "attempts",
            "created_at",
            "updated_at",
        ]
        pairs = (
            select(
                events.c.id,
                subscriptions.c.id,
                events.c.tenant_id,
                literal("pending"),
                literal(now),
                literal(0),
                literal(now),
                literal(now),
            )
            .join_from(events, subscriptions, _gets_event())
            .where(events.c.id.in_(ids))
            .order_by(events.c.id)
        )
        transaction.execute(insert(deliveries).from_select(columns, pairs))
        self._wake(transaction, ids, now)
        transaction.execute(update(events).where(events.c.id.in_(ids)).values(pending=None))
        return len(ids)

    def _wake(self, transaction: Transaction, event_ids: Sequence[int], now: int) -> None:
        """The subscriptions with new deliveries are due, unless a worker has them or they wait for their server."""
        subscription = subscriptions.c
        woken = select(deliveries.c.subscription_id).where(deliveries.c.event_id.in_(event_ids)).scalar_subquery()
        can_start = and_(
            subscription.state == "active",
            subscription.webhook_url.is_not(None),
            subscription.lease_until <= now,
            # Not while it waits for its server.
            or_(subscription.due_at.is_(None), subscription.failures == 0),
        )
        transaction.execute(
            update(subscriptions)
            .where(subscription.id.in_(woken))
            .values(wakeups=subscription.wakeups + 1, due_at=case((can_start, now), else_=subscription.due_at))
        )

    def _lease(self, transaction: Transaction, holder: str, limit: int) -> Sequence[Claim]:
        now = int(self._clock())
        subscription = subscriptions.c
        leased = select(subscription.server, func.count()).where(subscription.lease_until > now)
        counts = transaction.execute(leased.group_by(subscription.server))
        used = Counter({server: count for server, count in counts})
        full = [server for server, count in used.items() if count >= self._per_server]
        due = (
            select(subscription.id, subscription.server)
            .where(subscription.due_at <= now, subscription.lease_until <= now, subscription.server.not_in(full))
            .order_by(subscription.due_at)
            .limit(limit)
        )
        chosen = []
        for identifier, server in transaction.execute(due).tuples():
            if used[server] < self._per_server:
                used[server] += 1
                chosen.append(identifier)
        lease_until = now + LEASE_SECONDS
        transaction.execute(
            update(subscriptions)
            .where(subscription.id.in_(chosen))
            .values(lease_until=lease_until, due_at=lease_until, holder=holder)
        )
        return [Claim(identifier, holder, lease_until) for identifier in chosen]

    def _lock(self, transaction: Transaction, now: int) -> None:
        values = {"name": _LOCK, "holder": "dispatcher", "expires_at": now + 86_400}
        transaction.execute(upsert(tables.leases, transaction.dialect, ["expires_at"]), values)


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
