"""Removing what has expired, in batches, so that no statement holds a large table for long."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Table, delete, func, select

from . import tables
from .database import Database

#: A dead family is kept as long as its last access token could live, so that replays are still seen.
GRACE = 86_400


def prune(
    database: Database, *, now: int, audit_days: int, batch: int = 1000
) -> Iterator[tuple[str, int]]:
    """Delete what nothing can need any more; yields the table and how many rows each batch took."""
    for table, is_over in _what_is_over(now, audit_days):
        while removed := _remove_batch(database, table, is_over, batch):
            yield table.name, removed


def _remove_batch(
    database: Database, table: Table, is_over: ColumnElement[bool], batch: int
) -> int:
    key = next(iter(table.primary_key.columns))
    statement = select(key).where(is_over).limit(batch)
    keys = database.read(lambda connection: list(connection.scalars(statement)))
    if not keys:
        return 0
    removal = delete(table).where(key.in_(keys))
    return database.run_in_transaction(lambda transaction: transaction.execute_rowcount(removal))


def _what_is_over(now: int, audit_days: int) -> list[tuple[Table, ColumnElement[bool]]]:
    families, events = tables.token_families, tables.audit_events
    ended = func.coalesce(families.c.revoked_at, families.c.expires_at)
    return [
        (tables.revocations, tables.revocations.c.expires_at <= now),
        (families, ended <= now - GRACE),
        (events, events.c.at <= now - audit_days * 86_400),
        # An expired lease means nothing.
        (tables.leases, tables.leases.c.expires_at <= now),
    ]
