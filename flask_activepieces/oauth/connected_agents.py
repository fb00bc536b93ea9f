"""The agents that users of a tenant connected, as its admins see them, with their last use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, func, or_, select

from ..clock import Clock
from ..host.ids import checked_id
from ..storage import tables
from ..storage.database import Database
from ..storage.keyset import Keyset, Page
from .clients.client import OPERATOR, OAuthClient, find_by_ids
from .resources import API

_clients = tables.oauth_clients
_families = tables.token_families
_grants = tables.grants
_calls = tables.tool_calls

#: How many seconds back tool calls are checked for the last use. If there are none, the last refresh counts.
_CALLS_SINCE = 30 * 24 * 60 * 60
_NEWEST = Keyset(_grants.c.created_at, _grants.c.id, descending=True)


@dataclass(frozen=True, kw_only=True)
class ConnectedAgent:
    """An agent of one user, in one workspace."""

    client: OAuthClient
    user_id: str
    workspace_name: str
    since: int
    last_used_at: int | None


class ConnectedAgents:
    """The agents of one app's tenants: clients that registered themselves, or that use the MCP endpoint."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list(self, tenant_id: str, *, limit: int, cursor: str | None = None) -> Page[ConnectedAgent]:
        """A page of them, the newest first."""
        now = int(self._clock())
        registered_itself = exists().where(_clients.c.client_id == _grants.c.client_id, _clients.c.source != OPERATOR)
        uses_endpoint = exists().where(
            _families.c.grant_id == _grants.c.id, _families.c.resource != API.name, *_active(now)
        )
        statement = select(_grants).where(
            _grants.c.tenant_id == checked_id("tenant_id", tenant_id), or_(registered_itself, uses_endpoint)
        )

        def query(conn: Connection) -> Page[ConnectedAgent]:
            page = _NEWEST.select(conn, statement, limit=limit, cursor=cursor)
            clients = find_by_ids(conn, {row.client_id for row in page.items})
            uses = _last_uses(conn, page.items, tenant_id, now)
            # A client may have been deleted meanwhile.
            known = [row for row in page.items if row.client_id in clients]
            return Page([_agent(row, clients[row.client_id], uses) for row in known], page.next, page.previous)

        return self._database.read(query)


def _active(now: int) -> Sequence[Any]:
    return _families.c.revoked_at.is_(None), _families.c.expires_at > now


def _last_uses(conn: Connection, rows: Sequence[Row[Any]], tenant_id: str, now: int) -> dict[object, int]:
    """When each grant was last refreshed, and when each client last called a tool for each user."""
    refreshed = (
        select(_families.c.grant_id, func.max(_families.c.rotated_at).label("at"))
        .where(_families.c.grant_id.in_([row.id for row in rows]), *_active(now))
        .group_by(_families.c.grant_id)
    )
    called = (
        select(_calls.c.user_id, _calls.c.client_id, func.max(_calls.c.last_at).label("at"))
        .where(
            _calls.c.tenant_id == tenant_id,
            _calls.c.first_at > now - _CALLS_SINCE,
            _calls.c.client_id.in_({row.client_id for row in rows}),
        )
        .group_by(_calls.c.user_id, _calls.c.client_id)
    )
    uses: dict[object, int] = {row.grant_id: row.at for row in conn.execute(refreshed)}
    return uses | {(row.user_id, row.client_id): row.at for row in conn.execute(called)}


def _agent(row: Row[Any], client: OAuthClient, uses: dict[object, int]) -> ConnectedAgent:
    found = (uses.get(row.id), uses.get((row.user_id, row.client_id)))
    return ConnectedAgent(
        client=client,
        user_id=row.user_id,
        workspace_name=row.workspace_name,
        since=row.created_at,
        last_used_at=max(filter(None, found), default=None),
    )
