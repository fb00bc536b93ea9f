"""Creates, lists, pauses and removes subscriptions.

A subscription has no more rights than the token that created it: it ends with the grant, personal access token or
sign-in, and its payloads contain only fields that the scopes of the token allow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, true, update

from ...clock import Clock
from ...crypto.keyring import Encryptor, random_id
from ...crypto.webhook_signatures import new_secret
from ...errors import InvalidInput, NotFound, SignatureError
from ...host.ids import checked_id
from ...storage.audit import Audit
from ...storage.database import ConcurrentUpdate, Database, Transaction
from ...storage.dialects import insert_ignore
from ...storage.event_distribution import distribute_events, lock_distribution
from ...storage.event_tables import subscriptions
from ...storage.keyset import Keyset, Page
from ..webhook_urls import WebhookServers
from .ending import pause_in, remove_in
from .records import Subscriber, Subscription, event_of, find_in, owner_of, subscription_from_row

#: Each event is stored once for each subscription that gets it.
MAX_PER_OWNER = 1000

_table = subscriptions
_ORDER = Keyset(_table.c.created_at, _table.c.id)


class Subscriptions:
    """The subscriptions of one app."""

    def __init__(
        self, database: Database, servers: WebhookServers, encryptor: Encryptor, *, clock: Clock, audit: Audit
    ) -> None:
        self._database = database
        self._servers = servers
        self._encryptor = encryptor
        self._clock = clock
        self._audit = audit

    def subscribe(
        self, subscriber: Subscriber, trigger_name: str, *, webhook_url: str | None, inputs: Mapping[str, Any]
    ) -> tuple[Subscription, str, bool]:
        """The subscriber's subscription of this URL, its secret, and whether it is new.

        Activepieces may enable a trigger again without disabling it. The same URL then gets the same subscription,
        with the token and the inputs of this call. The secret stays the same, because an event may arrive before the
        flow has stored a new one. Another owner gets another subscription, because the URL of a flow is not a secret.
        """
        identifier, fresh, now = random_id(), new_secret(), int(self._clock())
        target = _target_hash(subscriber, trigger_name, webhook_url or f"poll:{identifier}")

        def run(transaction: Transaction) -> tuple[Subscription, str, bool]:
            server, integration_id = self._servers.check(
                transaction.conn,
                webhook_url,
                tenant_id=subscriber.tenant_id,
                organization_id=subscriber.organization_id,
            )
            current = transaction.execute(select(_table).where(_table.c.target_hash == target)).one_or_none()
            chosen = identifier if current is None else current.id
            secret = fresh if current is None else self._secret_of(current) or fresh
            values = {
                "organization_id": subscriber.organization_id or "",
                "user_id": subscriber.user_id,
                "client_id": subscriber.client_id,
                "grant_id": subscriber.grant_id,
                "personal_token_id": subscriber.personal_token_id,
                "integration_id": integration_id,
                "server": server,
                "inputs": json.dumps(dict(inputs)),
                "scope": subscriber.scope,
                "encrypted_secret": self._encryptor.encrypt({"secret": secret}, context=chosen),
                "state": "active",
                "state_reason": None,
                "renewed_at": now,
                "failures": 0,
            }
            if current is None:
                row = {
                    "id": chosen,
                    "tenant_id": subscriber.tenant_id,
                    "trigger_name": trigger_name,
                    "webhook_url": webhook_url,
                    "target_hash": target,
                    "created_at": now,
                    "due_at": None,
                    "lease_until": 0,
                    "holder": None,
                    "max_requests": 1,
                    **values,
                }
                self._create(transaction, subscriber, row, now)
            else:
                due_at = None if webhook_url is None else now
                renewal = update(_table).where(_table.c.id == chosen).values(**values, due_at=due_at)
                if not transaction.execute_rowcount(renewal):
                    raise ConcurrentUpdate  # another request has just removed it
            stored = transaction.execute(select(_table).where(_table.c.id == chosen)).one()
            return subscription_from_row(stored), secret, current is None

        return self._database.run_in_transaction(run)

    def _create(self, transaction: Transaction, subscriber: Subscriber, row: Mapping[str, Any], now: int) -> None:
        # Events that were committed before are only for the subscriptions of that time.
        lock_distribution(transaction, now)
        _check_count(transaction.conn, subscriber)
        while distribute_events(transaction, now):
            pass
        if not transaction.execute_rowcount(insert_ignore(_table, transaction.dialect), row):
            raise ConcurrentUpdate  # another request has just subscribed the same URL
        self._audit.record(transaction, event_of("subscription.created", row, now, user_id=subscriber.user_id))

    def _secret_of(self, row: Row[Any]) -> str | None:
        try:
            secret: str = self._encryptor.decrypt(row.encrypted_secret, context=row.id)["secret"]
        except SignatureError:
            return None  # its key was removed
        return secret

    def get(self, subscription_id: str, *, tenant_id: str) -> Subscription:
        """The tenant's subscription; `NotFound` for any other."""
        found = self._database.read(lambda conn: find_in(conn, subscription_id, tenant_id))
        if found is None:
            raise NotFound("subscription", subscription_id)
        return found

    def find_all(self, subscription_ids: Sequence[str], *, tenant_id: str) -> Sequence[Subscription]:
        """The tenant's subscriptions with these ids, as far as they exist."""
        statement = select(_table).where(_table.c.id.in_(subscription_ids), _table.c.tenant_id == tenant_id)
        return self._database.read(lambda conn: [subscription_from_row(row) for row in conn.execute(statement)])

    def list_for_tenant(self, tenant_id: str | None) -> Sequence[Subscription]:
        """The tenant's subscriptions, the oldest first; None lists those of all tenants, for operators."""
        statement = select(_table).order_by(_table.c.created_at, _table.c.id)
        if tenant_id is not None:
            statement = statement.where(_table.c.tenant_id == tenant_id)
        return self._database.read(lambda conn: [subscription_from_row(row) for row in conn.execute(statement)])

    def page_for_tenant(
        self, tenant_id: str, *, organizations: Collection[str | None], limit: int, cursor: str | None = None
    ) -> Page[Subscription]:
        """A page of the tenant's subscriptions in these organizations, the oldest first; None is the whole tenant."""
        statement = select(_table).where(_table.c.tenant_id == tenant_id, _is_in(organizations))
        page = self._database.read(lambda conn: _ORDER.select(conn, statement, limit=limit, cursor=cursor))
        return page.map(subscription_from_row)

    def count_paused(self, tenant_id: str, *, organizations: Collection[str | None]) -> int:
        """How many of the tenant's subscriptions in these organizations are paused."""
        is_paused = (_table.c.tenant_id == tenant_id) & (_table.c.state == "paused")
        statement = select(func.count()).where(is_paused, _is_in(organizations))
        return self._database.read(lambda conn: conn.scalar(statement)) or 0

    def unsubscribe(self, subscription_id: str, *, tenant_id: str) -> bool:
        """Remove the subscription; its pending deliveries are dead. False if it does not exist."""
        now = int(self._clock())

        def run(transaction: Transaction) -> bool:
            found = find_in(transaction.conn, subscription_id, tenant_id)
            if found is None:
                return False
            # Activepieces asks for it with the token of the owner.
            reason = "the flow was disabled"
            remove_in(transaction, found, self._audit, reason=reason, user_id=found.user_id, now=now)
            return True

        return self._database.run_in_transaction(run)

    def remove(self, subscription: Subscription, *, reason: str) -> None:
        """Remove a subscription that has ended, unless it was renewed since it was read."""
        now = int(self._clock())
        self._database.run_in_transaction(
            lambda transaction: remove_in(
                transaction, subscription, self._audit, reason=reason, user_id=None, now=now
            )
        )

    def remove_abandoned(self, *, days: int) -> int:
        """Remove subscriptions whose flows have stopped asking for events; returns how many."""
        was_long_ago = _table.c.renewed_at <= int(self._clock()) - days * 86_400
        return self._remove_all(_table.c.webhook_url.is_(None) & was_long_ago, "the flow no longer asks for events")

    def remove_of_tenant(self, tenant_id: str, *, reason: str) -> int:
        """Remove all subscriptions of a tenant, also those of clients that act for themselves; returns how many."""
        return self._remove_all(_table.c.tenant_id == checked_id("tenant_id", tenant_id), reason)

    def _remove_all(self, condition: ColumnElement[bool], reason: str) -> int:
        now = int(self._clock())

        def remove(transaction: Transaction, subscription_id: str) -> bool:
            statement = select(_table).where(_table.c.id == subscription_id, condition)
            row = transaction.execute(statement).one_or_none()
            if row is None:
                return False
            remove_in(transaction, subscription_from_row(row), self._audit, reason=reason, user_id=None, now=now)
            return True

        # Each in a transaction of its own, so that the lock of the distribution is not held for long.
        ids = self._database.read(lambda conn: list(conn.scalars(select(_table.c.id).where(condition))))
        removed = [self._database.run_in_transaction(partial(remove, subscription_id=each)) for each in ids]
        return sum(removed)

    def pause(self, subscription_id: str, *, tenant_id: str | None, reason: str, user_id: str | None = None) -> None:
        """Deliver nothing until `resume`; events are kept.

        ``user_id`` is that of the admin who pauses it. Operators may pause the subscription of any tenant: for them,
        both ids are None.
        """
        now = int(self._clock())

        def run(transaction: Transaction) -> None:
            found = find_in(transaction.conn, subscription_id, tenant_id)
            if found is None:
                raise NotFound("subscription", subscription_id)
            pause_in(transaction, found, self._audit, reason=reason, user_id=user_id, now=now)

        self._database.run_in_transaction(run)

    def resume(self, subscription_id: str, *, tenant_id: str | None, user_id: str | None = None) -> None:
        """Deliver again, beginning with the kept events. The ids are those of `pause`."""
        now = int(self._clock())

        def run(transaction: Transaction) -> None:
            found = find_in(transaction.conn, subscription_id, tenant_id)
            if found is None:
                raise NotFound("subscription", subscription_id)
            due_at = None if found.webhook_url is None else now
            values = {"state": "active", "state_reason": None, "due_at": due_at, "failures": 0}
            is_paused = (_table.c.id == found.id) & (_table.c.state == "paused")
            if transaction.execute_rowcount(update(_table).where(is_paused).values(**values)):
                self._audit.record(transaction, event_of("subscription.resumed", vars(found), now, user_id=user_id))

        self._database.run_in_transaction(run)


def _check_count(conn: Connection, subscriber: Subscriber) -> None:
    """`InvalidInput` if the owner has as many subscriptions as one can have."""
    tenant_id, organization_id, user_id, client_id = owner_of(subscriber)
    condition = and_(
        _table.c.tenant_id == tenant_id,
        _table.c.organization_id == (organization_id or ""),
        _table.c.user_id == user_id,
        true() if client_id is None else _table.c.client_id == client_id,
    )
    if (conn.scalar(select(func.count()).where(condition)) or 0) >= MAX_PER_OWNER:
        raise InvalidInput({"trigger": "You have too many flows with triggers of this app. Disable some."})


def _is_in(organizations: Collection[str | None]) -> ColumnElement[bool]:
    return _table.c.organization_id.in_([name or "" for name in organizations])


def _target_hash(subscriber: Subscriber, trigger_name: str, target: str) -> str:
    return hashlib.sha256(json.dumps([*owner_of(subscriber), trigger_name, target]).encode()).hexdigest()
