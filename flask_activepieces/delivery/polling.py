"""Events for flows that ask for them, because the app cannot reach their Activepieces server.

The position of a flow is the id of the last delivery that it has read. The dispatcher distributes one batch after the
other, so deliveries that are committed later have higher ids: no event is read twice or skipped. Reading from the
same position again returns the same events.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, update

from ..clock import Clock
from ..errors import InvalidInput, NotFound
from ..pieces.declarations import Trigger
from ..storage.database import Database
from ..storage.event_distribution import BATCH
from ..storage.event_tables import deliveries, events, subscriptions
from .dispatcher import Dispatcher
from .receiving import Receivers
from .subscriptions.records import Subscriber, Subscription
from .subscriptions.service import Subscriptions

#: How many events one call reads.
PAGE = 100
#: How often the time of a flow's last request is stored.
NOTE_SECONDS = 3600

_FIELD = "cursor"


@dataclass(frozen=True)
class Position:
    """The position of a flow: its subscription, and the last delivery that it has read."""

    subscription_id: str
    after: int

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position; `InvalidInput` if the text is not one."""
        subscription_id, _, after = text.rpartition(".")
        if not subscription_id or not after.isascii() or not after.isdecimal() or len(after) > 18:
            raise InvalidInput({_FIELD: "This is not a cursor of this trigger. Begin again with null."})
        return cls(subscription_id, int(after))

    def __str__(self) -> str:
        return f"{self.subscription_id}.{self.after}"


@dataclass(frozen=True)
class NewEvents:
    """Ids and payloads, the oldest first, and the next position."""

    events: Sequence[tuple[str, Mapping[str, Any]]]
    position: Position


class Polling:
    """The events of one app for flows that ask for them."""

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        subscriptions: Subscriptions,
        receivers: Receivers,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._subscriptions = subscriptions
        self._receivers = receivers
        self._clock = clock

    def begin(self, subscriber: Subscriber, trigger: Trigger, *, inputs: Mapping[str, Any]) -> NewEvents:
        """Subscribe to events from now on."""
        self._distribute()
        subscription, _, _ = self._subscriptions.subscribe(subscriber, trigger.name, webhook_url=None, inputs=inputs)
        return NewEvents([], Position(subscription.id, 0))

    def read(
        self, trigger: Trigger, subscription: Subscription, position: Position, *, scopes: Iterable[str]
    ) -> NewEvents:
        """The events after the position, with the fields that these scopes allow.

        None while the subscription is paused, or its integration or client is disabled; the position does not change.
        `NotFound` if the subscription has ended: the flow fails, so that its author sees it and enables it again.
        """
        now = int(self._clock())
        receiver = self._database.read(lambda conn: self._receivers.find_polling(conn, subscription, now=now))
        if receiver is None:
            raise NotFound("subscription", subscription.id)
        if receiver.ended is not None:
            self._subscriptions.remove(subscription, reason=receiver.ended)
            raise NotFound("subscription", subscription.id)
        self._note_call(subscription, now)
        if subscription.state != "active" or receiver.suspended:
            return NewEvents([], position)
        self._distribute()
        self._finish(subscription, deliveries.c.id <= position.after, "delivered")
        rows = self._database.read(lambda conn: _rows_after(conn, subscription, position.after))
        found, unmatched = [], []
        for row in rows:
            payload = json.loads(row.payload)
            if trigger.matches is None or trigger.matches(payload, subscription.inputs):
                found.append((row.uid, trigger.visible_payload(payload, scopes)))
            else:
                unmatched.append(row.id)
        if unmatched:
            self._finish(subscription, deliveries.c.id.in_(unmatched), "skipped")
        after = max((row.id for row in rows), default=position.after)
        return NewEvents(found, Position(subscription.id, after))

    def _note_call(self, subscription: Subscription, now: int) -> None:
        if subscription.renewed_at <= now - NOTE_SECONDS:
            is_this = (subscriptions.c.id == subscription.id) & (subscriptions.c.tenant_id == subscription.tenant_id)
            self._database.write(update(subscriptions).where(is_this).values(renewed_at=now))

    def _distribute(self) -> None:
        while self._dispatcher.distribute() == BATCH:
            pass

    def _finish(self, subscription: Subscription, which: ColumnElement[bool], state: str) -> None:
        """Set the state of pending deliveries, for the log. It has no effect on what is read."""
        statement = (
            update(deliveries)
            .where(_of(subscription), deliveries.c.state == "pending", which)
            .values(state=state, updated_at=int(self._clock()))
        )
        self._database.write(statement)


def _rows_after(conn: Connection, subscription: Subscription, after: int) -> Sequence[Any]:
    statement = (
        select(deliveries.c.id, events.c.uid, events.c.payload)
        .join_from(deliveries, events, events.c.id == deliveries.c.event_id)
        .where(_of(subscription), deliveries.c.id > after)
        .order_by(deliveries.c.id)
        .limit(PAGE)
    )
    return conn.execute(statement).all()


def _of(subscription: Subscription) -> ColumnElement[bool]:
    return and_(deliveries.c.tenant_id == subscription.tenant_id, deliveries.c.subscription_id == subscription.id)
