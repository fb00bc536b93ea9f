"""Ends or pauses a subscription, unless its flow has subscribed again meanwhile."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, delete, update

from ...storage.audit import Audit
from ...storage.database import Transaction
from ...storage.event_distribution import lock_distribution
from ...storage.event_tables import deliveries, subscriptions
from .records import Subscription, event_of


def remove_in(
    transaction: Transaction, subscription: Subscription, audit: Audit, *, reason: str, user_id: str | None, now: int
) -> None:
    """Delete the subscription, unless it was renewed since it was read; its pending deliveries are dead.

    ``user_id`` is that of the user who ends it; None if that happens automatically.
    """
    # Otherwise an event could be distributed to it between the two statements, and wait forever.
    lock_distribution(transaction, now)
    if not transaction.execute_rowcount(delete(subscriptions).where(_is_unchanged(subscription))):
        return
    transaction.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription.id, deliveries.c.state == "pending")
        .values(state="dead", last_error=reason, updated_at=now)
    )
    audit.record(
        transaction, event_of("subscription.removed", vars(subscription), now, user_id=user_id, reason=reason)
    )


def pause_in(
    transaction: Transaction, subscription: Subscription, audit: Audit, *, reason: str, user_id: str | None, now: int
) -> None:
    """Pause the subscription, unless it was renewed since it was read; new events are kept.

    ``user_id`` is that of the user who pauses it; None for operators, and if it happens automatically.
    """
    is_active = _is_unchanged(subscription) & (subscriptions.c.state == "active")
    values = {"state": "paused", "state_reason": reason, "due_at": None}
    if transaction.execute_rowcount(update(subscriptions).where(is_active).values(**values)):
        audit.record(
            transaction, event_of("subscription.paused", vars(subscription), now, user_id=user_id, reason=reason)
        )


def _is_unchanged(subscription: Subscription) -> ColumnElement[bool]:
    # Each time a flow subscribes, its secret is encrypted again. So a late response does not end a newer
    # subscription.
    return and_(
        subscriptions.c.id == subscription.id, subscriptions.c.encrypted_secret == subscription.encrypted_secret
    )
