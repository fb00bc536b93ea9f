"""Delivers what is due for one subscription that this worker has leased."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, select

from .. import signals
from ..clock import Clock
from ..crypto.keyring import Encryptor
from ..errors import SignatureError, Unavailable
from ..pieces.declarations import Trigger
from ..storage.audit import Audit
from ..storage.database import Database, Transaction
from ..storage.event_distribution import lock_distribution
from ..storage.event_tables import deliveries, events
from .attempts import Due, Result, attempt_all, attempt_in_order
from .dispatcher import Claim, Dispatcher, give_back, postpone
from .log import mark_old_as_dead, store_results
from .outcomes import APP_FAILED, MAX_AGE, Attempt, Outcome, outcome_of, wait_seconds
from .receiving import Receiver, Receivers
from .sender import Sender
from .subscriptions.ending import pause_in, remove_in
from .subscriptions.records import Subscription

log = logging.getLogger(__name__)

#: How many deliveries of a subscription are read in one turn.
SLICE = 50
#: How many of them are sent at the same time, unless their order matters or the server gets as many as it may.
PARALLEL = 4
#: After how long a subscription is checked again if its client, integration or user is disabled.
SUSPENDED_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Deliverer:
    """Delivers the events of one app. ``triggers`` returns the declared triggers by name."""

    database: Database
    dispatcher: Dispatcher
    receivers: Receivers
    sender: Sender
    encryptor: Encryptor
    clock: Clock
    audit: Audit
    triggers: Callable[[], Mapping[str, Trigger]]

    def deliver(self, claim: Claim, senders: Executor, *, is_stopping: Callable[[], bool]) -> int:
        """Deliver up to `SLICE` of what is due, and end the lease; returns the number of attempts."""
        now = int(self.clock())
        receiver = self.database.read(lambda conn: self.receivers.find(conn, claim, now=now))
        if receiver is None:
            return 0
        subscription = receiver.subscription
        trigger = self.triggers().get(subscription.trigger_name)
        is_ordered = trigger is not None and trigger.ordered
        if receiver.ended is not None:
            self._end(claim, subscription, reason=receiver.ended)
            return 0
        if subscription.state != "active":
            self._finish(claim, subscription, [], is_ordered=is_ordered)
            return 0
        secret = self._secret(receiver)
        if secret is None:
            self._suspend(claim, subscription)
            return 0
        due = self.database.read(lambda conn: self._due(conn, subscription, is_ordered=is_ordered))
        attempt = partial(self._attempt, subscription, trigger, secret)

        def goes_on() -> bool:
            return time.monotonic() < claim.turn_ends and not is_stopping()

        if is_ordered:
            results = attempt_in_order(attempt, due, store=self._store, goes_on=goes_on)
        else:
            add_request = partial(self._add_request, claim)
            results = attempt_all(attempt, due, senders, parallel=PARALLEL, add_request=add_request, goes_on=goes_on)
        self._finish(claim, subscription, results, is_ordered=is_ordered)
        for result in results:
            self._report(subscription, result)
        return sum(result.attempt is not None for result in results)

    def _add_request(self, claim: Claim) -> bool:
        try:
            return self.dispatcher.add_request(claim)
        except Unavailable:
            return False  # for this, the results of what was sent must not be lost

    def _secret(self, receiver: Receiver) -> str | None:
        """The secret that signs its events; None if it may not get events at the moment."""
        subscription = receiver.subscription
        if receiver.suspended is not None or self.receivers.has_inactive_user(subscription):
            return None
        try:
            return str(self.encryptor.decrypt(subscription.encrypted_secret, context=subscription.id)["secret"])
        except SignatureError:
            log.error("The secret of subscription %s cannot be decrypted: enable the flow again.", subscription.id)
            return None

    def _due(self, conn: Connection, subscription: Subscription, *, is_ordered: bool) -> Sequence[Due]:
        delivery, now = deliveries.c, int(self.clock())
        columns = [delivery.id, delivery.created_at, delivery.due_at, delivery.attempts]
        statement = (
            select(*columns, events.c.uid, events.c.created_at.label("happened_at"), events.c.payload)
            .join_from(deliveries, events, events.c.id == delivery.event_id)
            .where(
                delivery.subscription_id == subscription.id,
                delivery.tenant_id == subscription.tenant_id,
                delivery.state == "pending",
            )
            .limit(SLICE)
        )
        if is_ordered:
            # While the first one waits, the others wait too.
            rows = conn.execute(statement.order_by(delivery.id)).all()
            rows = rows if rows and rows[0].due_at <= now else []
        else:
            rows = conn.execute(statement.where(delivery.due_at <= now).order_by(delivery.due_at)).all()
        return [
            Due(
                id=row.id,
                event_id=row.uid,
                happened_at=row.happened_at,
                waits_since=row.created_at,
                attempts=row.attempts,
                payload=json.loads(row.payload),
            )
            for row in rows
        ]

    def _attempt(self, subscription: Subscription, trigger: Trigger | None, secret: str, due: Due) -> Result:
        """The result, whatever happens: the results of the other events must not be lost for this one."""
        try:
            return self._aged(self._send(subscription, trigger, secret, due))
        except Exception:
            log.exception("The event %s could not be sent to subscription %s.", due.event_id, subscription.id)
            return self._aged(Result(due, Outcome("pending", "none", APP_FAILED), Attempt(None, APP_FAILED)))

    def _send(self, subscription: Subscription, trigger: Trigger | None, secret: str, due: Due) -> Result:
        if trigger is None:
            # A newer version of the app, which is being deployed, may have it.
            return Result(due, Outcome("pending", "none", "this version of the app has no such trigger"))
        if not trigger.scopes <= set(subscription.scope.split()):
            return Result(due, Outcome("skipped", "none", "the connection lacks a permission"))
        try:
            if trigger.matches is not None and not trigger.matches(due.payload, subscription.inputs):
                return Result(due, Outcome("skipped"))
        except Exception:
            log.exception("The function matches of the trigger %s failed.", trigger.name)
            return Result(due, Outcome("dead", "none", "the app could not tell whether the event is for this flow"))
        assert subscription.webhook_url is not None
        attempt = self.sender.send(
            subscription.webhook_url,
            secret=secret,
            event_id=due.event_id,
            trigger_name=trigger.name,
            created_at=due.happened_at,
            payload=trigger.visible_payload(due.payload, subscription.scope.split()),
        )
        return Result(due, outcome_of(attempt), attempt)

    def _aged(self, result: Result) -> Result:
        """The result, which is dead if the delivery has failed for too long."""
        outcome = result.outcome
        if outcome.state != "pending" or self.clock() - result.due.waits_since <= MAX_AGE:
            return result
        return Result(result.due, Outcome("dead", outcome.effect, outcome.reason), result.attempt)

    def _store(self, result: Result) -> None:
        self.database.run_in_transaction(lambda each: store_results(each, [result], now=int(self.clock())))

    def _finish(
        self, claim: Claim, subscription: Subscription, results: Sequence[Result], *, is_ordered: bool
    ) -> None:
        """Store the results, and end the lease, in one transaction."""
        now, effect = int(self.clock()), _effect_of(results)
        failures = subscription.failures + 1 if effect.effect == "wait" else 0
        asked = [result.attempt.retry_after or 0 for result in results if result.attempt]
        until = now + wait_seconds(failures, at_least=max(asked, default=0))

        def run(transaction: Transaction) -> None:
            reason = effect.reason or ""
            if effect.effect == "remove":
                # Take the locks in the same order as everywhere: the distribution first.
                lock_distribution(transaction, now)
            if effect.effect == "wait":
                postpone(transaction, claim, until=until, failures=failures)
                mark_old_as_dead(transaction, subscription.id, waiting_since=now - MAX_AGE, reason=reason, now=now)
            # In order, all results except the last are already stored.
            store_results(transaction, results[-1:] if is_ordered else results, now=now)
            if effect.effect == "pause":
                pause_in(transaction, subscription, self.audit, reason=reason, user_id=None, now=now)
            if effect.effect == "remove":
                remove_in(transaction, subscription, self.audit, reason=reason, user_id=None, now=now)
            if effect.effect != "wait":
                give_back(transaction, claim, now=now, is_ordered=is_ordered, failures=failures)

        self.database.run_in_transaction(run)

    def _suspend(self, claim: Claim, subscription: Subscription) -> None:
        until = int(self.clock()) + SUSPENDED_SECONDS
        self.database.run_in_transaction(
            lambda transaction: postpone(transaction, claim, until=until, failures=subscription.failures)
        )

    def _end(self, claim: Claim, subscription: Subscription, *, reason: str) -> None:
        now = int(self.clock())

        def run(transaction: Transaction) -> None:
            remove_in(transaction, subscription, self.audit, reason=reason, user_id=None, now=now)
            # If the flow was enabled again meanwhile, the subscription still exists.
            give_back(transaction, claim, now=now, is_ordered=False, failures=0)

        self.database.run_in_transaction(run)

    def _report(self, subscription: Subscription, result: Result) -> None:
        if result.attempt is None:
            return
        self.audit.send_signal(
            signals.delivery_attempted,
            trigger=subscription.trigger_name,
            tenant_id=subscription.tenant_id,
            subscription_id=subscription.id,
            event_id=result.due.event_id,
            state=result.outcome.state,
            status=result.attempt.status,
            milliseconds=result.attempt.milliseconds,
        )


def _effect_of(results: Sequence[Result]) -> Outcome:
    """The outcome with the most serious effect on the subscription."""
    rank = {"remove": 0, "pause": 1, "wait": 2, "none": 3}
    outcomes = sorted((result.outcome for result in results), key=lambda outcome: rank[outcome.effect])
    return outcomes[0] if outcomes else Outcome("skipped")
