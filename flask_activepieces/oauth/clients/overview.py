"""OAuth clients as the admins of a tenant see them, with their users and their last use."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, func, or_, select

from ...clock import Clock
from ...host.ids import checked_id
from ...storage import tables
from ...storage.database import Database
from ...storage.keyset import Keyset, Page
from .client import OAuthClient, client_from_row

_clients = tables.oauth_clients
_grants = tables.grants
_families = tables.token_families

Order = Literal["name", "newest"]

_ORDERS: Mapping[Order, Keyset] = {
    "name": Keyset(_clients.c.name, _clients.c.client_id),
    "newest": Keyset(_clients.c.created_at, _clients.c.client_id, descending=True),
}
_USERS = Keyset(_grants.c.created_at, _grants.c.id, descending=True)


@dataclass(frozen=True, kw_only=True)
class ClientUsage:
    """How a client is used in the tenant."""

    users: int = 0
    #: How many token families are active. Each belongs to a connection, or to a program of a user.
    connections: int = 0
    last_used_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class ListedClient:
    """A client in the list."""

    client: OAuthClient
    usage: ClientUsage


@dataclass(frozen=True, kw_only=True)
class ClientUser:
    """A user who approved the client, in one workspace."""

    user_id: str
    workspace_name: str
    since: int


class ClientOverview:
    """The clients of tenants, and their users."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list(
        self,
        tenant_id: str,
        *,
        integration_ids: Collection[str],
        search: str | None = None,
        order: Order = "name",
        limit: int,
        cursor: str | None = None,
    ) -> Page[ListedClient]:
        """A page of the tenant's clients. Of the clients of integrations, only those of these integrations."""
        statement = _of_tenant(tenant_id, integration_ids)
        if search:
            pattern = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            statement = statement.where(_clients.c.name.ilike(f"%{pattern}%", escape="\\"))
        now = int(self._clock())

        def query(conn: Connection) -> Page[ListedClient]:
            page = _ORDERS[order].select(conn, statement, limit=limit, cursor=cursor)
            usage = _usage(conn, [row.client_id for row in page.items], tenant_id, now)
            return page.map(lambda row: _listed(row, usage))

        return self._database.read(query)

    def usage(self, client: OAuthClient, *, tenant_id: str) -> ClientUsage:
        """How the client is used in the tenant."""
        now = int(self._clock())
        found = self._database.read(lambda conn: _usage(conn, [client.client_id], tenant_id, now))
        return found.get(client.client_id, ClientUsage())

    def list_users(
        self, client: OAuthClient, *, tenant_id: str, limit: int, cursor: str | None = None
    ) -> Page[ClientUser]:
        """A page of the users who approved the client in the tenant, the newest first."""
        statement = select(_grants).where(
            _grants.c.client_id == client.client_id, _grants.c.tenant_id == checked_id("tenant_id", tenant_id)
        )
        page = self._database.read(lambda conn: _USERS.select(conn, statement, limit=limit, cursor=cursor))
        return page.map(
            lambda row: ClientUser(user_id=row.user_id, workspace_name=row.workspace_name, since=row.created_at)
        )


def _of_tenant(tenant_id: str, integration_ids: Collection[str]) -> Select[Any]:
    visible = or_(_clients.c.integration_id.is_(None), _clients.c.integration_id.in_(sorted(integration_ids)))
    return select(_clients).where(_clients.c.tenant_id == checked_id("tenant_id", tenant_id), visible)


def _usage(conn: Connection, client_ids: Sequence[str], tenant_id: str, now: int) -> dict[str, ClientUsage]:
    """The usage of these clients, with one statement for grants and one for token families."""
    if not client_ids:
        return {}
    users = (
        select(_grants.c.client_id, func.count(_grants.c.user_id.distinct()).label("users"))
        .where(_grants.c.client_id.in_(client_ids), _grants.c.tenant_id == tenant_id)
        .group_by(_grants.c.client_id)
    )
    active = (
        select(
            _families.c.client_id,
            func.count().label("connections"),
            func.max(_families.c.rotated_at).label("last_used_at"),
        )
        .where(
            _families.c.client_id.in_(client_ids),
            _families.c.tenant_id == tenant_id,
            _families.c.revoked_at.is_(None),
            _families.c.expires_at > now,
        )
        .group_by(_families.c.client_id)
    )
    counted = {row.client_id: row.users for row in conn.execute(users)}
    used = {row.client_id: row for row in conn.execute(active)}
    return {
        client_id: ClientUsage(
            users=counted.get(client_id, 0),
            connections=used[client_id].connections if client_id in used else 0,
            last_used_at=used[client_id].last_used_at if client_id in used else None,
        )
        for client_id in {*counted, *used}
    }


def _listed(row: Row[Any], usage: Mapping[str, ClientUsage]) -> ListedClient:
    client = client_from_row(row._asdict())
    found = usage.get(client.client_id, ClientUsage())
    # A client without users gets tokens with the client-credentials grant.
    last_used_at = max(filter(None, (found.last_used_at, client.last_issued_at)), default=None)
    return ListedClient(
        client=client, usage=ClientUsage(users=found.users, connections=found.connections, last_used_at=last_used_at)
    )
