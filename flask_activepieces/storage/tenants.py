"""Which tenants have data here. The app's own list of tenants is not known to the extension."""

from __future__ import annotations

from sqlalchemy import delete, exists, or_, select

from ..host.ids import checked_id
from . import event_tables, tables
from .database import Database, Transaction
from .event_distribution import lock_distribution


def has_tenant(database: Database, tenant_id: str) -> bool:
    """Whether a client, a grant, an integration or a personal access token belongs to the tenant."""
    checked_id("tenant_id", tenant_id)
    owners = (tables.oauth_clients, tables.grants, tables.integrations, tables.personal_tokens)
    statement = select(or_(*(exists().where(t.c.tenant_id == tenant_id) for t in owners)))
    return bool(database.read(lambda conn: conn.scalar(statement)))


def delete_tenant_events(transaction: Transaction, tenant_id: str, *, now: int) -> None:
    """Delete the tenant's events, subscriptions, deliveries and personal access tokens."""
    # Otherwise events could be distributed meanwhile.
    lock_distribution(transaction, now)
    for table in (event_tables.subscriptions, event_tables.deliveries, event_tables.events, tables.personal_tokens):
        transaction.execute(delete(table).where(table.c.tenant_id == tenant_id))
