"""A subscription as it is stored, and who owns it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from ...storage.audit import Event
from ...storage.event_tables import subscriptions


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """The owner of the token with which a flow subscribes."""

    tenant_id: str
    organization_id: str | None
    user_id: str | None
    client_id: str | None
    grant_id: str | None
    personal_token_id: str | None
    scope: str


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
    #: None: the flow asks the app for new events.
    webhook_url: str | None
    server: str
    inputs: Mapping[str, Any]
    scope: str
    encrypted_secret: str = field(repr=False)
    state: str
    state_reason: str | None
    created_at: int
    renewed_at: int
    failures: int


def owner_of(subscriber: Subscriber | Subscription) -> Sequence[str | None]:
    """Who may renew, read and end a subscription: a user in a workspace, or a client that acts for itself."""
    client_id = subscriber.client_id if subscriber.user_id is None else None
    return subscriber.tenant_id, subscriber.organization_id, subscriber.user_id, client_id


def subscription_from_row(row: Row[Any]) -> Subscription:
    """The subscription of a row of the table."""
    values = {name: getattr(row, name) for name in Subscription.__dataclass_fields__}
    inputs = json.loads(values["inputs"])
    return Subscription(**{**values, "organization_id": values["organization_id"] or None, "inputs": inputs})


def find_in(conn: Connection, subscription_id: str, tenant_id: str | None) -> Subscription | None:
    """The tenant's subscription, if it exists. Without a tenant, for operators: that of any tenant."""
    statement = select(subscriptions).where(subscriptions.c.id == subscription_id)
    if tenant_id is not None:
        statement = statement.where(subscriptions.c.tenant_id == tenant_id)
    row = conn.execute(statement).one_or_none()
    return None if row is None else subscription_from_row(row)


def event_of(
    name: str, values: Mapping[str, Any], now: int, *, user_id: str | None, reason: str | None = None
) -> Event:
    """The audit event of an action by this user, who need not be the owner of the subscription."""
    detail = {"trigger": values["trigger_name"], "subscription": values["id"]}
    if values["user_id"] is not None:
        detail["owner_id"] = values["user_id"]
    if reason is not None:
        detail["reason"] = reason
    return Event(
        name=name,
        at=now,
        tenant_id=values["tenant_id"],
        user_id=user_id,
        client_id=values["client_id"],
        grant_id=values["grant_id"],
        detail=detail,
    )
