"""What commands ask of all tables: to delete expired rows, and whether a tenant has any."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, or_, select

from ..host.ids import checked_id
from . import event_tables, tables
from .database import Database, Transaction
from .event_distribution import lock_distribution

#: A revoked family is kept while its last access token could live, so that a replay is still recognized.
GRACE = 86_400
#: How long a client that registered itself is kept before a user approves it, and after no one uses it any more.
UNAPPROVED_CLIENT = 86_400
UNUSED_CLIENT = 90 * 86_400


def prune(
    database: Database, *, now: int, audit_days: int, delivery_days: int, batch: int = 1000
) -> Iterator[tuple[str, int]]:
    """Delete expired rows; yields the table and the number of rows of each batch.

    In batches, no statement locks a large table for long.
    """
    for table, is_expired in _expired_rows(now, audit_days, delivery_days):
        while deleted := _delete_batch(database, table, is_expired, batch):
            yield table.name, deleted
    while deleted := _delete_unused_clients(database, now, batch):
        yield tables.oauth_clients.name, deleted


def overdue_tables(database: Database, *, now: int, delivery_days: int) -> list[str]:
    """The tables with rows that `prune` would have deleted at that time, except for audit events."""
    # How long audit events are kept is an option of the command.
    expired = [
        (table, rule) for table, rule in _expired_rows(now, 0, delivery_days) if table is not tables.audit_events
    ]
    return [table.name for table, is_expired in expired if _has_rows(database, is_expired)]


def _expired_rows(now: int, audit_days: int, delivery_days: int) -> list[tuple[Table, ColumnElement[bool]]]:
    families, events = tables.token_families, tables.audit_events
    stored, deliveries = event_tables.events, event_tables.deliveries
    # An event that was distributed late, or sent again, is needed for longer.
    has_deliveries = exists().where(deliveries.c.event_id == stored.c.id)
    # If the token of a sign-in is revoked, and so deleted, its subscriptions end. They do not end when it expires.
    has_subscriptions = exists().where(event_tables.subscriptions.c.personal_token_id == tables.personal_tokens.c.id)
    ended_at = func.coalesce(families.c.revoked_at, families.c.expires_at)
    return [
        (tables.revocations, tables.revocations.c.expires_at <= now),
        (families, ended_at <= now - GRACE),
        (events, events.c.at <= now - audit_days * 86_400),
        (tables.tool_calls, tables.tool_calls.c.last_at <= now - audit_days * 86_400),
        (tables.leases, tables.leases.c.expires_at <= now),
        (tables.action_calls, tables.action_calls.c.expires_at <= now),
        (tables.personal_tokens, (tables.personal_tokens.c.expires_at <= now) & ~has_subscriptions),
        # Also what still waits: it is far older than any attempt.
        (deliveries, deliveries.c.created_at <= now - delivery_days * 86_400),
        (stored, (stored.c.created_at <= now - delivery_days * 86_400) & ~has_deliveries),
    ]


def _has_rows(database: Database, condition: ColumnElement[bool]) -> bool:
    statement = select(exists().where(condition))
    return bool(database.read(lambda conn: conn.scalar(statement)))


def _delete_batch(database: Database, table: Table, is_expired: ColumnElement[bool], batch: int) -> int:
    (key,) = table.primary_key.columns
    statement = select(key).where(is_expired).limit(batch)
    keys = database.read(lambda conn: list(conn.scalars(statement)))
    return database.write(delete(table).where(key.in_(keys))) if keys else 0


def _delete_unused_clients(database: Database, now: int, batch: int) -> int:
    """Delete some of the clients that registered themselves, and that no user has approved or still uses."""
    clients = tables.oauth_clients
    is_unused = and_(
        clients.c.source != "operator",
        # An operator who suspended it does not want it back.
        clients.c.disabled_at.is_(None),
        or_(
            clients.c.approved_at <= now - UNUSED_CLIENT,
            clients.c.approved_at.is_(None)
            & (func.coalesce(clients.c.document_tried_at, clients.c.created_at) <= now - UNAPPROVED_CLIENT),
        ),
        ~exists().where(tables.grants.c.client_id == clients.c.client_id),
    )

    statement = select(clients.c.client_id).where(is_unused).limit(batch)
    ids = database.read(lambda conn: list(conn.scalars(statement)))

    def delete_some(transaction: Transaction) -> int:
        # A grant locks the row of its client (see `Grants.approve`): after this, there is none or it is committed.
        this = clients.c.client_id.in_(ids)
        transaction.execute(select(clients.c.client_id).where(this).with_for_update())
        return transaction.execute_rowcount(delete(clients).where(this, is_unused))

    return database.run_in_transaction(delete_some) if ids else 0


def has_tenant(database: Database, tenant_id: str) -> bool:
    """Whether a client, a grant, an integration or a token belongs to the tenant; only the app lists them all."""
    checked_id("tenant_id", tenant_id)
    owners = (
        tables.oauth_clients,
        tables.grants,
        tables.integrations,
        tables.personal_tokens,
        tables.client_policies,
    )
    statement = select(or_(*(exists().where(t.c.tenant_id == tenant_id) for t in owners)))
    return bool(database.read(lambda conn: conn.scalar(statement)))


def delete_tenant_events(transaction: Transaction, tenant_id: str, *, now: int) -> None:
    """Delete the tenant's events, subscriptions, deliveries, personal access tokens and client policy."""
    # Otherwise events could be distributed meanwhile.
    lock_distribution(transaction, now)
    for table in (
        event_tables.subscriptions,
        event_tables.deliveries,
        event_tables.events,
        tables.personal_tokens,
        tables.client_policies,
    ):
        transaction.execute(delete(table).where(table.c.tenant_id == tenant_id))
