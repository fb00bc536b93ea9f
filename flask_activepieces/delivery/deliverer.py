"""Delivers what is due for one subscription that this worker has leased."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from .. import signals
from ..clock import Clock
from ..crypto.keyring import Encryptor
from ..errors import SignatureError
from ..pieces.declarations import Trigger
from ..storage.audit import Audit
from ..storage.database import Database, Transaction
from ..storage.event_tables import deliveries, events
from . import subscriptions as stored
from .dispatcher import Claim, Dispatcher
from .outcomes import MAX_AGE, Attempt, Outcome, outcome_of, wait_seconds
from .sender import TIMEOUT, Sender
from .subscriptions import Subscription
from .webhook_urls import WebhookServers

log = logging.getLogger(__name__)

#: How many deliveries are read at once; then other subscriptions have their turn.
SLICE = 50
#: How many of them are sent at once, unless their order matters.
PARALLEL = 4
#: How long a subscription with a disabled client or integration waits before it is looked at again.
SUSPENDED_SECONDS = 300


@dataclass(frozen=True)
class Due:
    """One delivery with its event."""

    id: int
    event_id: str
    created_at: int
    attempts: int
    payload: Any = field(repr=False)


@dataclass(frozen=True)
class Result:
    """What an attempt did to a delivery; without an attempt, it was not for this subscription."""

    due: Due
    outcome: Outcome
    attempt: Attempt | None = None


class Deliverer:
    """Delivers the events of one app.

    ``triggers`` gives the declared triggers by name; ``is_active`` tells whether a user may still use a tenant.
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        sender: Sender,
        servers: WebhookServers,
        encryptor: Encryptor,
        *,
        clock: Clock,
        audit: Audit,
        triggers: Callable[[], Mapping[str, Trigger]],
        is_active: Callable[[str, str], bool],
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._sender = sender
        self._servers = servers
        self._encryptor = encryptor
        self._clock = clock
        self._audit = audit
        self._triggers = triggers
        self._is_active = is_active

    def deliver(self, claim: Claim) -> int:
        """Deliver a slice of what is due, and release the subscription; returns the number of attempts."""
        attempts = 0
        while True:
            subscription = self._subscription(claim)
            if subscription is None:
                return attempts
            results, wait = self._deliver_slice(claim, subscription)
            attempts += sum(1 for result in results if result.attempt)
            if wait is not None:
                failures = subscription.failures + 1
                until = int(self._clock()) + wait_seconds(failures, at_least=wait)
                self._dispatcher.postpone(claim, until=until, failures=failures)
                return attempts
            if self._dispatcher.release(claim):
                return attempts

    def _subscription(self, claim: Claim) -> Subscription | None:
        """The subscription, if it may get events now; else it is removed, or waits."""
        now = int(self._clock())

        def run(transaction: Transaction) -> tuple[Subscription | None, bool]:
            found = stored.find_leased(transaction.conn, claim.subscription_id, claim.holder)
            if found is None:
                return None, False
            reason = stored.may_receive(transaction.conn, found, now=now)
            if reason is not None:
                stored.remove_in(transaction, found, self._audit, reason=reason, now=now)
                return None, False
            return found, stored.is_suspended(transaction.conn, found)

        subscription, is_suspended = self._database.run_in_transaction(run)
        if subscription is None:
            return None
        is_inactive = subscription.user_id is not None and not self._is_active(
            subscription.user_id, subscription.tenant_id
        )
        may_be_called = subscription.webhook_url is not None and self._servers.may_be_called(subscription.webhook_url)
        if is_suspended or is_inactive or not may_be_called:
            self._dispatcher.postpone(claim, until=now + SUSPENDED_SECONDS, failures=subscription.failures)
            return None
        return subscription

    def _deliver_slice(self, claim: Claim, subscription: Subscription) -> tuple[Sequence[Result], int | None]:
        """The results, stored, and how many seconds the server asks to wait, if the subscription has to."""
        trigger = self._triggers().get(subscription.trigger_name)
        try:
            secret = self._encryptor.decrypt(subscription.encrypted_secret, context=subscription.id)["secret"]
        except SignatureError:
            log.error("The secret of subscription %s cannot be decrypted; enable the flow again.", subscription.id)
            return [], SUSPENDED_SECONDS
        is_ordered = trigger is not None and trigger.ordered
        due = self._database.read(lambda conn: self._due(conn, subscription, is_ordered=is_ordered))
        give_up_at = claim.lease_until - TIMEOUT.total

        def attempt(each: Due) -> Result | None:
            if self._clock() >= give_up_at:
                return None
            return self._attempt(subscription, trigger, secret, each)

        results = list(_each(attempt, due, one_by_one=is_ordered))
        self._store(subscription, results)
        effects = {result.outcome.effect for result in results}
        if "remove" in effects or "pause" in effects:
            self._end(subscription, next(each for each in results if each.outcome.effect in ("remove", "pause")))
            return results, None
        if "wait" in effects:
            asked = [result.attempt.retry_after or 0 for result in results if result.attempt]
            return results, max(asked)
        return results, None

    def _due(self, conn: Connection, subscription: Subscription, *, is_ordered: bool) -> list[Due]:
        now = int(self._clock())
        delivery = deliveries.c
        statement = (
            select(
                delivery.id, events.c.uid, events.c.created_at, delivery.attempts, events.c.payload, delivery.due_at
            )
            .join_from(deliveries, events, events.c.id == delivery.event_id)
            .where(
                delivery.subscription_id == subscription.id,
                delivery.tenant_id == subscription.tenant_id,
                delivery.state == "pending",
            )
            .order_by(delivery.event_id)
            .limit(SLICE)
        )
        if not is_ordered:
            statement = statement.where(delivery.due_at <= now)
        rows = conn.execute(statement).all()
        if is_ordered and rows and rows[0].due_at > now:
            return []
        return [Due(row.id, row.uid, row.created_at, row.attempts, json.loads(row.payload)) for row in rows]

    def _attempt(self, subscription: Subscription, trigger: Trigger | None, secret: str, due: Due) -> Result:
        if trigger is None:
            return Result(due, Outcome("dead", "none", "the app no longer has this trigger"))
        if not trigger.scopes <= set(subscription.scope.split()):
            return Result(due, Outcome("skipped", "none", "the connection lacks a permission"))
        if trigger.matches is not None and not trigger.matches(due.payload, subscription.inputs):
            return Result(due, Outcome("skipped"))
        assert subscription.webhook_url is not None
        attempt = self._sender.send(
            subscription.webhook_url,
            secret=secret,
            event_id=due.event_id,
            trigger_name=trigger.name,
            created_at=due.created_at,
            payload=trigger.visible_payload(due.payload, subscription.scope.split()),
        )
        outcome = outcome_of(attempt)
        if outcome.state == "pending" and int(self._clock()) - due.created_at > MAX_AGE:
            outcome = Outcome("dead", outcome.effect, outcome.reason)
        return Result(due, outcome, attempt)

    def _store(self, subscription: Subscription, results: Sequence[Result]) -> None:
        """Write what the attempts did, and report it."""
        now = int(self._clock())
        rows = [_row(result, now) for result in results]
        if rows:
            self._database.run_in_transaction(lambda transaction: transaction.conn.execute(_UPDATE, rows))
        for result in results:
            if result.attempt is not None:
                self._report(subscription, result)

    def _report(self, subscription: Subscription, result: Result) -> None:
        assert result.attempt is not None
        self._audit.send_signal(
            signals.delivery_attempted,
            trigger=subscription.trigger_name,
            tenant_id=subscription.tenant_id,
            subscription_id=subscription.id,
            event_id=result.due.event_id,
            state=result.outcome.state,
            status=result.attempt.status,
            milliseconds=result.attempt.milliseconds,
        )

    def _end(self, subscription: Subscription, result: Result) -> None:
        """Pause or remove the subscription, as the server asked."""
        now, reason = int(self._clock()), result.outcome.reason or ""
        end = stored.pause_in if result.outcome.effect == "pause" else stored.remove_in
        self._database.run_in_transaction(
            lambda transaction: end(transaction, subscription, self._audit, reason=reason, now=now)
        )


_UPDATE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "state",
                "due_at",
                "attempts",
                "last_status",
                "last_error",
                "last_ms",
                "last_response",
                "updated_at",
            )
        }
    )
)


def _row(result: Result, now: int) -> dict[str, Any]:
    attempt, attempts = result.attempt, result.due.attempts + (result.attempt is not None)
    return {
        "delivery_id": result.due.id,
        "state": result.outcome.state,
        "due_at": now + wait_seconds(attempts, at_least=attempt.retry_after if attempt else None),
        "attempts": attempts,
        "last_status": attempt.status if attempt else None,
        "last_error": result.outcome.reason and result.outcome.reason[:300],
        "last_ms": attempt.milliseconds if attempt else None,
        "last_response": attempt.response if attempt else None,
        "updated_at": now,
    }


def _each(attempt: Callable[[Due], Result | None], due: Sequence[Due], *, one_by_one: bool) -> Iterator[Result]:
    """The results, until the server cannot be reached, asks to wait or ends the subscription.

    In order, the first failure stops: nothing may overtake it.
    """
    if one_by_one:
        for each in due:
            result = attempt(each)
            if result is None:
                return
            yield result
            if result.outcome.state == "pending" or result.outcome.effect != "none":
                return
        return
    with ThreadPoolExecutor(PARALLEL) as threads:
        for start in range(0, len(due), PARALLEL):
            results = [result for result in threads.map(attempt, due[start : start + PARALLEL]) if result]
            yield from results
            if len(results) < len(due[start : start + PARALLEL]) or any(
                result.outcome.effect != "none" for result in results
            ):
                return
