"""Subscriptions: which flow gets which events, on whose authority.

A subscription is worth no more than the token that made it: it ends with the grant or personal access token, and its
payloads have what the token's scopes allow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from ..clock import Clock
from ..crypto.keyring import Encryptor, random_id
from ..errors import NotFound
from ..storage import tables
from ..storage.audit import Audit, Event
from ..storage.database import Database, Transaction
from ..storage.dialects import insert_ignore
from ..storage.event_tables import deliveries, subscriptions
from .signing import new_secret
from .subscribers import Subscriber
from .webhook_urls import WebhookServers

_table = subscriptions


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A flow that gets the events of a trigger."""

    id: str
    tenant_id: str
    organization_id: str | None
    user_id: str | None
    client_id: str | None
    grant_id: str | None
    personal_token_id: str | None
    integration_id: str | None
    trigger_name: str
    #: None: the flow asks for new events itself.
    webhook_url: str | None
    server: str
    inputs: Mapping[str, Any]
    scope: str
    encrypted_secret: str = field(repr=False)
    state: str
    state_reason: str | None
    created_at: int
    renewed_at: int
    wakeups: int
    failures: int


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
        """The subscription of this URL, its secret, and whether it is new.

        Activepieces enables a trigger again without disabling it: the same URL gets the same subscription, with the
        token, inputs and secret of this call.
        """
        identifier, secret, now = random_id(), new_secret(), int(self._clock())
        target = _target_hash(subscriber.tenant_id, trigger_name, webhook_url or f"poll:{identifier}")

        def run(transaction: Transaction) -> tuple[Subscription, bool]:
            server, integration_id = self._servers.check(transaction.conn, subscriber, webhook_url)
            current = transaction.execute(select(_table).where(_table.c.target_hash == target)).one_or_none()
            is_new = current is None
            chosen = identifier if current is None else current.id
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
            if is_new:
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
                    "wakeups": 0,
                    **values,
                }
                if transaction.execute_rowcount(insert_ignore(_table, transaction.dialect), row):
                    self._audit.record(transaction, _event("subscription.created", row, now))
                    return _read(transaction.conn, chosen), True
                # Another request has just subscribed the same URL.
                chosen = transaction.execute(select(_table.c.id).where(_table.c.target_hash == target)).scalar_one()
                values["encrypted_secret"] = self._encryptor.encrypt({"secret": secret}, context=chosen)
            transaction.execute(update(_table).where(_table.c.id == chosen).values(**values, due_at=now))
            return _read(transaction.conn, chosen), False

        subscription, is_new = self._database.run_in_transaction(run)
        return subscription, secret, is_new

    def get(self, subscription_id: str, *, tenant_id: str) -> Subscription:
        """The tenant's subscription; `NotFound` for any other."""
        found = self._database.read(lambda conn: _find(conn, subscription_id, tenant_id))
        if found is None:
            raise NotFound("subscription", subscription_id)
        return found

    def list_for_tenant(self, tenant_id: str | None) -> Sequence[Subscription]:
        """The tenant's subscriptions, the oldest first; None lists those of all tenants, for operators."""
        statement = select(_table).order_by(_table.c.created_at, _table.c.id)
        if tenant_id is not None:
            statement = statement.where(_table.c.tenant_id == tenant_id)
        return self._database.read(lambda conn: [_from_row(row) for row in conn.execute(statement)])

    def unsubscribe(self, subscription_id: str, *, tenant_id: str) -> bool:
        """Remove the subscription with what waits for it; False if it does not exist."""
        now = int(self._clock())

        def run(transaction: Transaction) -> bool:
            found = _find(transaction.conn, subscription_id, tenant_id)
            if found is None:
                return False
            remove_in(transaction, found, self._audit, reason="the flow was disabled", now=now)
            return True

        return self._database.run_in_transaction(run)

    def pause(self, subscription_id: str, *, tenant_id: str, reason: str) -> None:
        """Deliver nothing until `resume`; new events are kept."""
        self._set_state(subscription_id, tenant_id, "paused", reason, None)

    def resume(self, subscription_id: str, *, tenant_id: str) -> None:
        """Deliver again, beginning with what was kept."""
        self._set_state(subscription_id, tenant_id, "active", None, int(self._clock()))

    def _set_state(
        self, subscription_id: str, tenant_id: str, state: str, reason: str | None, due_at: int | None
    ) -> None:
        now = int(self._clock())

        def run(transaction: Transaction) -> None:
            found = _find(transaction.conn, subscription_id, tenant_id)
            if found is None:
                raise NotFound("subscription", subscription_id)
            values = {"state": state, "state_reason": reason, "due_at": due_at, "failures": 0}
            transaction.execute(update(_table).where(_table.c.id == found.id).values(**values))
            name = "subscription.paused" if state == "paused" else "subscription.resumed"
            self._audit.record(transaction, _event(name, vars(found), now, reason=reason))

        self._database.run_in_transaction(run)


def remove_in(transaction: Transaction, subscription: Subscription, audit: Audit, *, reason: str, now: int) -> None:
    """Delete the subscription; what waits for it is dead."""
    transaction.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription.id, deliveries.c.state == "pending")
        .values(state="dead", last_error=reason, updated_at=now)
    )
    if transaction.execute_rowcount(delete(_table).where(_table.c.id == subscription.id)):
        audit.record(transaction, _event("subscription.removed", vars(subscription), now, reason=reason))


def pause_in(transaction: Transaction, subscription: Subscription, audit: Audit, *, reason: str, now: int) -> None:
    """Pause the subscription of this worker's lease."""
    values = {"state": "paused", "state_reason": reason, "due_at": None, "lease_until": 0, "holder": None}
    if transaction.execute_rowcount(update(_table).where(_table.c.id == subscription.id).values(**values)):
        audit.record(transaction, _event("subscription.paused", vars(subscription), now, reason=reason))


def may_receive(conn: Connection, subscription: Subscription, *, now: int) -> str | None:
    """Why the subscription may get nothing any more; None if it may.

    A grant or token that is gone ends the subscription: revoking a user, a tenant or a client deletes their grants.
    """
    if subscription.grant_id is not None:
        if not _exists(conn, tables.grants, tables.grants.c.id == subscription.grant_id):
            return "the user or an administrator has disconnected it"
    elif subscription.personal_token_id is not None:
        tokens = tables.personal_tokens
        is_valid = (tokens.c.id == subscription.personal_token_id) & (
            tokens.c.expires_at.is_(None) | (tokens.c.expires_at > now)
        )
        if not _exists(conn, tokens, is_valid):
            return "its personal access token was revoked or has expired"
    if subscription.client_id is not None:
        clients = tables.oauth_clients
        if not _exists(conn, clients, (clients.c.client_id == subscription.client_id)):
            return "its OAuth client was deleted"
    if subscription.integration_id is not None:
        integrations = tables.integrations
        if not _exists(conn, integrations, integrations.c.id == subscription.integration_id):
            return "its integration was removed"
    return None


def is_suspended(conn: Connection, subscription: Subscription) -> bool:
    """Whether its client or its integration is disabled for now."""
    clients, integrations = tables.oauth_clients, tables.integrations
    disabled_client = (clients.c.client_id == subscription.client_id) & clients.c.disabled_at.is_not(None)
    disabled_integration = (integrations.c.id == subscription.integration_id) & integrations.c.enabled.is_(False)
    return _exists(conn, clients, disabled_client) or _exists(conn, integrations, disabled_integration)


def _exists(conn: Connection, table: Any, condition: Any) -> bool:
    return conn.execute(select(1).select_from(table).where(condition)).first() is not None


def find_leased(conn: Connection, subscription_id: str, holder: str) -> Subscription | None:
    """The active subscription, if this worker still has it."""
    statement = select(_table).where(
        _table.c.id == subscription_id, _table.c.holder == holder, _table.c.state == "active"
    )
    row = conn.execute(statement).one_or_none()
    return None if row is None else _from_row(row)


def _find(conn: Connection, subscription_id: str, tenant_id: str) -> Subscription | None:
    statement = select(_table).where(_table.c.id == subscription_id, _table.c.tenant_id == tenant_id)
    row = conn.execute(statement).one_or_none()
    return None if row is None else _from_row(row)


def _read(conn: Connection, subscription_id: str) -> Subscription:
    return _from_row(conn.execute(select(_table).where(_table.c.id == subscription_id)).one())


def _from_row(row: Row[Any]) -> Subscription:
    values = {name: getattr(row, name) for name in Subscription.__dataclass_fields__}
    inputs = json.loads(values["inputs"])
    return Subscription(**{**values, "organization_id": values["organization_id"] or None, "inputs": inputs})


def _target_hash(tenant_id: str, trigger_name: str, target: str) -> str:
    return hashlib.sha256(json.dumps([tenant_id, trigger_name, target]).encode()).hexdigest()


def _event(name: str, values: Mapping[str, Any], now: int, *, reason: str | None = None) -> Event:
    detail = {"trigger": values["trigger_name"], "subscription": values["id"]}
    return Event(
        name=name,
        at=now,
        tenant_id=values["tenant_id"],
        user_id=values["user_id"],
        client_id=values["client_id"],
        grant_id=values["grant_id"],
        detail={**detail, "reason": reason} if reason else detail,
    )
