"""Reads the audit events of a tenant or of all tenants, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select

from .audit import Event
from .database import Database
from .keyset import Keyset, Page
from .tables import audit_events

_ORDER = Keyset(audit_events.c.at, audit_events.c.id, descending=True)
#: How many events an export reads at once.
_BATCH_SIZE = 500


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which events to list."""

    #: The names of events; empty for all.
    names: Sequence[str] = ()
    user_id: str | None = None
    #: From this time on, and before that time.
    since: int | None = None
    until: int | None = None


class AuditLog:
    """The audit events of one app."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self, tenant_id: str | None, filter: AuditFilter, *, limit: int, cursor: str | None = None
    ) -> Page[Event]:
        """A page of the tenant's events; None lists those of all tenants and of none, for operators."""
        statement = _events(tenant_id, filter)
        rows = self._database.read(lambda conn: _ORDER.select(conn, statement, limit=limit, cursor=cursor))
        return rows.map(_event)

    def iterate(self, tenant_id: str, filter: AuditFilter) -> Iterator[Event]:
        """All of the tenant's events, read in batches, so that no database connection is held meanwhile."""
        cursor: str | None = None
        while True:
            page = self.list(tenant_id, filter, limit=_BATCH_SIZE, cursor=cursor)
            yield from page.items
            if page.next is None:
                return
            cursor = page.next


def _events(tenant_id: str | None, filter: AuditFilter) -> Select[Any]:
    column = audit_events.c
    statement = select(audit_events)
    if tenant_id is not None:
        statement = statement.where(column.tenant_id == tenant_id)
    if filter.names:
        statement = statement.where(column.name.in_(filter.names))
    if filter.user_id is not None:
        statement = statement.where(column.user_id == filter.user_id)
    if filter.since is not None:
        statement = statement.where(column.at >= filter.since)
    if filter.until is not None:
        statement = statement.where(column.at < filter.until)
    return statement


def _event(row: Row[Any]) -> Event:
    values = {name: getattr(row, name) for name in Event.__dataclass_fields__}
    return Event(**{**values, "detail": json.loads(row.detail)})
