"""Grants as users see them: which apps they have connected, and what each app may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from ..clock import Clock
from ..storage import tables
from ..storage.database import Database
from . import grants, scopes
from .clients.client import OPERATOR
from .documents.client_urls import host_of
from .grants import Grant
from .resources import API

_clients = tables.oauth_clients
_families = tables.token_families
_grants = tables.grants


@dataclass(frozen=True, kw_only=True)
class ConnectedApp:
    """A grant with its client, and how it is used."""

    grant: Grant
    client_name: str
    client_description: str
    #: Where the client comes from, if it has a document. See `OAuthClient.host`.
    client_host: str | None
    #: Whether no operator or admin registered the client.
    is_self_registered: bool
    #: Whether it registered itself, or uses the MCP endpoint: then it is no automation.
    is_agent: bool
    #: How many active token families use the grant, and what they may do together.
    connections: int
    scope: str
    last_used_at: int | None


class ConnectedApps:
    """The connected apps of users."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list_for_user(self, user_id: str, *, tenant_ids: Sequence[str]) -> list[ConnectedApp]:
        """The apps that the user has connected in these tenants, the newest first."""
        statement = (
            select(_grants, _clients.c.name, _clients.c.description, _clients.c.source, _clients.c.document_url)
            .join(_clients, _clients.c.client_id == _grants.c.client_id)
            .where(grants.of_user(user_id, tenant_ids))
            .order_by(_grants.c.created_at.desc())
        )
        now = int(self._clock())

        def query(conn: Connection) -> list[ConnectedApp]:
            rows = conn.execute(statement).all()
            usage = _usage_by_grant(conn, [row.id for row in rows], now)
            return [_connected_app(row, usage.get(row.id, [])) for row in rows]

        return self._database.read(query)


def _usage_by_grant(conn: Connection, grant_ids: Sequence[str], now: int) -> dict[str, list[Any]]:
    # A row for each set of scopes and resource, and not for each family: a grant may have very many families.
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


def _connected_app(row: Any, usage: Sequence[Any]) -> ConnectedApp:
    grant = grants.grant_from_row(row._mapping)
    allowed = [grant.scope, *(part.scope for part in usage)]
    return ConnectedApp(
        grant=grant,
        client_name=row.name,
        client_description=row.description,
        client_host=host_of(row.document_url) if row.document_url else None,
        is_self_registered=row.source != OPERATOR,
        is_agent=row.source != OPERATOR or any(part.resource != API.name for part in usage),
        connections=sum(part.connections for part in usage),
        scope=scopes.join(scopes.split(" ".join(allowed))),
        last_used_at=max((part.last_used_at for part in usage), default=None),
    )
