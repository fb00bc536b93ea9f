"""Leases subscriptions with due deliveries to workers.

A lease is for one worker. After a crash, another worker takes over the subscription when the lease ends. Each lease
counts as one request to the server at a time, until its worker asks for more. Both happen under the lock of the
distribution, so that all workers together never send a server more requests at once than it may get. What is not
counted is a worker that sends for longer than its lease, or whose subscription was removed meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, literal, select, union_all, update

from ..api_client.wire import Timeout
from ..clock import Clock
from ..storage.database import Database, Transaction
from ..storage.event_distribution import distribute_events, lock_distribution
from ..storage.event_tables import deliveries, events, subscriptions


@dataclass(frozen=True)
class Lease:
    """How many seconds a worker has a subscription.

    A turn and its last attempt take at most a third of it. The rest allows for machines whose clocks differ.
    """

    seconds: int

    @property
    def turn(self) -> float:
        """How many seconds a worker begins attempts for one subscription, before others get their turn."""
        return min(10, self.seconds / 9)

    @property
    def timeout(self) -> Timeout:
        """The time limits of an attempt. Activepieces responds immediately, before the flow runs."""
        total = 2 * self.turn
        return Timeout(connect=total / 4, read=total * 3 / 4, total=total)


@dataclass(frozen=True)
class Claim:
    """A subscription that is leased to this worker."""

    subscription_id: str
    holder: str
    #: No attempt begins after this time of `time.monotonic`, which changes of the clock do not affect.
    turn_ends: float


class Dispatcher:
    """The dispatcher of one app. ``per_server``: how many requests one server gets at the same time."""

    def __init__(self, database: Database, *, clock: Clock, lease: Lease, per_server: int) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._per_server = per_server

    def distribute(self) -> int:
        """Distribute new events; returns how many there were, at most a batch."""

        def run(transaction: Transaction) -> int:
            now = int(self._clock())
            lock_distribution(transaction, now)
            return distribute_events(transaction, now)

        return self._database.run_in_transaction(run)

    def claim(self, holder: str, *, limit: int) -> Sequence[Claim]:
        """Distribute new events, and lease up to ``limit`` subscriptions with due deliveries."""
        if not self._database.read(self._has_work):
            return []

        turn_ends = time.monotonic() + self._lease.turn

        def run(transaction: Transaction) -> Sequence[Claim]:
            now = int(self._clock())
            lock_distribution(transaction, now)
            distribute_events(transaction, now)
            chosen = self._choose(transaction.conn, now, limit)
            lease_until = now + self._lease.seconds
            transaction.execute(
                update(subscriptions)
                .where(subscriptions.c.id.in_(chosen))
                .values(lease_until=lease_until, due_at=lease_until, holder=holder, max_requests=1)
            )
            return [Claim(identifier, holder, turn_ends) for identifier in chosen]

        return self._database.run_in_transaction(run)

    def add_request(self, claim: Claim) -> bool:
        """Let the worker send one more request at a time; False if its server already gets as many as it may."""
        subscription = subscriptions.c
        is_claimed = (subscription.id == claim.subscription_id) & (subscription.holder == claim.holder)
        server = select(subscription.server).where(is_claimed).scalar_subquery()

        def run(transaction: Transaction) -> bool:
            now = int(self._clock())
            lock_distribution(transaction, now)
            is_used = (subscription.server == server) & (subscription.lease_until > now)
            used = transaction.execute(select(func.sum(subscription.max_requests)).where(is_used)).scalar()
            if used is None or used >= self._per_server:
                return False
            more = update(subscriptions).where(is_claimed).values(max_requests=subscription.max_requests + 1)
            return transaction.execute_rowcount(more) == 1

        return self._database.run_in_transaction(run)

    def seconds_until_due(self) -> int | None:
        """In how many seconds the next delivery is due; None if nothing waits."""
        if self._database.read(self._has_work):
            return 0
        statement = select(func.min(subscriptions.c.due_at))
        due_at = self._database.read(lambda conn: conn.execute(statement).scalar())
        return None if due_at is None else max(0, due_at - int(self._clock()))

    def _has_work(self, conn: Connection) -> bool:
        """Whether there are new events or due deliveries. Takes no lock, because usually there are none."""
        new = select(literal(1)).where(events.c.pending == 1).limit(1).subquery()
        due = select(literal(1)).where(subscriptions.c.due_at <= int(self._clock())).limit(1).subquery()
        return conn.execute(union_all(select(new), select(due))).first() is not None

    def _choose(self, conn: Connection, now: int, limit: int) -> Sequence[str]:
        """The subscriptions that have been due for the longest time, of servers that may get more events now.

        Of those whose last attempts failed, only one for each server, so that an unreachable server does not occupy
        all threads.
        """
        subscription = subscriptions.c
        is_failing = case((subscription.failures > 0, 1), else_=0)
        sums = select(subscription.server, func.sum(subscription.max_requests), func.sum(is_failing))
        leased = conn.execute(sums.where(subscription.lease_until > now).group_by(subscription.server)).all()
        used = Counter({server: int(requests) for server, requests, _ in leased})
        probed = {server for server, _, failing in leased if failing}
        full = [server for server, count in used.items() if count >= self._per_server]
        due = (
            select(subscription.id, subscription.server, is_failing)
            .where(
                subscription.due_at <= now,
                subscription.lease_until <= now,
                subscription.server.not_in(full),
                (subscription.failures == 0) | subscription.server.not_in(list(probed)),
            )
            .order_by(subscription.due_at)
            .limit(limit)
        )
        chosen = []
        for identifier, server, fails in conn.execute(due):
            if used[server] >= self._per_server or (fails and server in probed):
                continue
            used[server] += 1
            if fails:
                probed.add(server)
            chosen.append(identifier)
        return chosen


def give_back(transaction: Transaction, claim: Claim, *, now: int, is_ordered: bool, failures: int) -> bool:
    """End the lease; the subscription is due when its next delivery is. False if another worker has it.

    The first statement locks the row. A distribution at the same time either was committed before, so that the second
    statement sees its deliveries, or waits, and then sees that no worker has the subscription.
    """
    if not _end_lease(transaction, claim, failures):
        return False
    waiting = deliveries.c
    first = select(waiting.due_at).where(waiting.subscription_id == claim.subscription_id, waiting.state == "pending")
    first = first.order_by(waiting.id if is_ordered else waiting.due_at).limit(1)
    due_at = transaction.execute(first).scalar()
    # Not earlier than now: subscriptions that have waited for longer come first.
    _set_due(transaction, claim, None if due_at is None else max(due_at, now))
    return True


def postpone(transaction: Transaction, claim: Claim, *, until: int, failures: int) -> bool:
    """End the lease; the subscription is due at this time. False if another worker has it."""
    if not _end_lease(transaction, claim, failures):
        return False
    _set_due(transaction, claim, until)
    return True


def _end_lease(transaction: Transaction, claim: Claim, failures: int) -> bool:
    statement = (
        update(subscriptions)
        .where(subscriptions.c.id == claim.subscription_id, subscriptions.c.holder == claim.holder)
        .values(lease_until=0, holder=None, failures=failures)
    )
    return transaction.execute_rowcount(statement) == 1


def _set_due(transaction: Transaction, claim: Claim, due_at: int | None) -> None:
    is_active = subscriptions.c.state == "active"
    transaction.execute(
        update(subscriptions)
        .where(subscriptions.c.id == claim.subscription_id)
        .values(due_at=case((is_active, literal(due_at, subscriptions.c.due_at.type)), else_=None))
    )
