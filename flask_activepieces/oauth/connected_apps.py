"""Grants as users see them: which apps they have connected, and what each app may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from ..clock import Clock
from ..storage import tables
from ..storage.database import Database
from ..storage.event_tables import subscriptions
from ..storage.keyset import Keyset, Page
from . import grants, scopes
from .clients.client import OAuthClient, client_from_row
from .grants import Grant
from .resources import API

_clients = tables.oauth_clients
_families = tables.token_families
_grants = tables.grants
#: Both tables have an id, a scope and more.
_PREFIX = "client_"
_client_columns = [column.label(_PREFIX + column.name) for column in _clients.c]
_NEWEST_FIRST = Keyset(_grants.c.created_at, _grants.c.id, descending=True)


@dataclass(frozen=True, kw_only=True)
class ConnectedApp:
    """A grant with its client, and how it is used."""

    grant: Grant
    client: OAuthClient
    #: Whether it registered itself or uses the MCP endpoint. It is then listed as an agent.
    is_agent: bool
    #: How many active token families use the grant, and the scopes that they have together.
    connections: int
    scope: str
    last_used_at: int | None
    #: How many flows get events through it.
    flows: int


class ConnectedApps:
    """The connected apps of users."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list_for_user(
        self, user_id: str, *, tenant_ids: Sequence[str], limit: int, cursor: str | None = None
    ) -> Page[ConnectedApp]:
        """A page of the apps that the user has connected in these tenants, the newest first."""
        statement = (
            select(_grants, *_client_columns)
            .join(_clients, _clients.c.client_id == _grants.c.client_id)
            .where(grants.of_user(user_id, tenant_ids))
        )
        now = int(self._clock())

        def query(conn: Connection) -> Page[ConnectedApp]:
            page = _NEWEST_FIRST.select(conn, statement, limit=limit, cursor=cursor)
            grant_ids = [row.id for row in page.items]
            usage = _usage_by_grant(conn, grant_ids, now)
            flows = _flows_by_grant(conn, grant_ids, tenant_ids)
            return page.map(lambda row: _connected_app(row, usage.get(row.id, []), flows.get(row.id, 0)))

        return self._database.read(query)


def _usage_by_grant(conn: Connection, grant_ids: Sequence[str], now: int) -> dict[str, list[Any]]:
    # A row for each set of scopes and resource, not for each family, because a grant can have very many families.
    statement = (
        select(
            _families.c.grant_id,
            _families.c.scope,
            _families.c.resource,
            func.count().label("connections"),
            func.max(_families.c.rotated_at).label("last_used_at"),
        )
        .where(_families.c.grant_id.in_(grant_ids), _families.c.revoked_at.is_(None), _families.c.expires_at > now)
        .group_by(_families.c.grant_id, _families.c.scope, _families.c.resource)
    )
    usage: dict[str, list[Any]] = {}
    for row in conn.execute(statement):
        usage.setdefault(row.grant_id, []).append(row)
    return usage


def _flows_by_grant(conn: Connection, grant_ids: Sequence[str], tenant_ids: Sequence[str]) -> dict[str, int]:
    statement = (
        select(subscriptions.c.grant_id, func.count().label("flows"))
        .where(subscriptions.c.tenant_id.in_(tenant_ids), subscriptions.c.grant_id.in_(grant_ids))
        .group_by(subscriptions.c.grant_id)
    )
    return {row.grant_id: row.flows for row in conn.execute(statement)}


def _connected_app(row: Any, usage: Sequence[Any], flows: int) -> ConnectedApp:
    grant = grants.grant_from_row(row._mapping)
    client = client_from_row({column.name: row._mapping[_PREFIX + column.name] for column in _clients.c})
    allowed = [grant.scope, *(part.scope for part in usage)]
    return ConnectedApp(
        grant=grant,
        client=client,
        is_agent=client.is_self_registered or any(part.resource != API.name for part in usage),
        connections=sum(part.connections for part in usage),
        scope=scopes.join(scopes.split(" ".join(allowed))),
        last_used_at=max((part.last_used_at for part in usage), default=None),
        flows=flows,
    )
