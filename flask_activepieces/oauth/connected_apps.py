"""Grants as people see them: which apps they have connected, and what each may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from ..host.ids import checked_id, checked_ids
from ..storage import tables
from . import grants, scopes
from .grants import Grant
from .tokens import families

_clients = tables.oauth_clients
_families = families.table
_grants = grants.table


@dataclass(frozen=True, kw_only=True)
class ConnectedApp:
    """A grant as people see it: which app, what it may do, since when, how lately."""

    grant: Grant
    client_name: str
    client_description: str
    #: How many living connections use the grant, and what they may do together.
    connections: int
    scope: str
    last_used_at: int | None


def apps_of_user(
    connection: Connection, *, tenant_ids: Sequence[str], user_id: str, now: int
) -> list[ConnectedApp]:
    """What a user sees of their own grants, the newest first."""
    statement = (
        select(_grants, _clients.c.name, _clients.c.description)
        .join(_clients, _clients.c.client_id == _grants.c.client_id)
        .where(
            _grants.c.user_id == checked_id("user_id", user_id),
            _grants.c.tenant_id.in_(checked_ids("tenant_ids", tenant_ids)),
        )
        .order_by(_grants.c.created_at.desc())
    )
    rows = connection.execute(statement).all()
    living = _living_families(connection, [row.id for row in rows], now)
    return [_connected_app(row, living.get(row.id, [])) for row in rows]


def is_used(connection: Connection, grant_id: str, *, now: int) -> bool:
    """Whether a living connection has the grant."""
    return bool(_living_families(connection, [grant_id], now))


def _living_families(
    connection: Connection, grant_ids: Sequence[str], now: int
) -> dict[str, list[Any]]:
    # One row a scope set and not one a family: a grant may have very many connections.
    statement = (
        select(
            _families.c.grant_id,
            _families.c.scope,
            func.count().label("connections"),
            func.max(_families.c.rotated_at).label("last_used_at"),
        )
        .where(
            _families.c.grant_id.in_(grant_ids),
            _families.c.revoked_at.is_(None),
            _families.c.expires_at > now,
        )
        .group_by(_families.c.grant_id, _families.c.scope)
    )
    living: dict[str, list[Any]] = {}
    for row in connection.execute(statement):
        living.setdefault(row.grant_id, []).append(row)
    return living


def _connected_app(row: Any, living: Sequence[Any]) -> ConnectedApp:
    grant = grants.grant_of(row._mapping)
    allowed = [grant.scope, *(part.scope for part in living)]
    return ConnectedApp(
        grant=grant,
        client_name=row.name,
        client_description=row.description,
        connections=sum(part.connections for part in living),
        scope=scopes.join(scopes.split(" ".join(allowed))),
        last_used_at=max((part.last_used_at for part in living), default=None),
    )
