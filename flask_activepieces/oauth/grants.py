"""Grants in storage: what users allow clients. A grant is remembered, shown, and taken back whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Select, bindparam, delete, select, update

from ..crypto.keyring import looks_like_id, random_id
from ..errors import NotFound
from ..host.ids import checked_id, checked_ids
from ..host.interface import Principal, Workspace
from ..storage import tables
from ..storage.audit import Audit, Event
from ..storage.database import ConcurrentUpdate, Transaction
from ..storage.upserts import insert_if_parent_exists
from . import revocations, scopes
from .clients.store import OAuthClient, find_any
from .tokens import families

table = tables.grants
_clients = tables.oauth_clients

#: How many ids stand in one statement: every database has a bound, PostgreSQL's is 65,535.
SLICE = 1000


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One user's standing permission for one client in one tenant, or in one organization of it."""

    id: str
    client_id: str
    tenant_id: str
    user_id: str
    organization_id: str | None
    workspace_name: str
    scope: str
    created_at: int
    updated_at: int

    def covers(self, names: Sequence[str]) -> bool:
        """Whether all of these scopes were allowed."""
        return set(names) <= set(scopes.split(self.scope))


class Grants:
    """The grants of one app; every method names the tenant, or the grants that it already found by it."""

    def __init__(self, *, audit: Audit) -> None:
        self._audit = audit

    def allow(
        self,
        transaction: Transaction,
        client: OAuthClient,
        principal: Principal,
        workspace: Workspace,
        names: Sequence[str],
        *,
        now: int,
    ) -> Grant:
        """The user's grant for this client and workspace, new or brought up to date.

        `NotFound` when the client was deleted meanwhile: no grant outlives it.
        """
        decided = {
            "workspace_name": workspace.name[:190],
            "scope": scopes.join(names),
            "updated_at": now,
        }
        key = {
            "client_id": client.client_id,
            "tenant_id": workspace.tenant_id,
            "user_id": principal.user_id,
            "organization_id": workspace.organization_id or "",
        }
        found = transaction.execute(_by_key(**key)).one_or_none()
        if found is None:
            values = {**key, **decided, "id": random_id(), "created_at": now}
            if transaction.execute_rowcount(_insert_statement(transaction.dialect), values) == 0:
                if find_any(transaction.conn, client.client_id) is None:
                    raise NotFound("OAuth client", client.client_id)
                raise ConcurrentUpdate  # the same user approved in another window: look again
        else:
            values = {**found._mapping, **decided}
            renewal = update(table).where(table.c.id == found.id).values(decided)
            if transaction.execute_rowcount(renewal) == 0:
                raise ConcurrentUpdate  # it was taken back just now: look again
        grant = grant_of(values)
        self._audit.record(transaction, _event("grant.approved", grant, now, scope=grant.scope))
        return grant

    def revoke_of_user(
        self, transaction: Transaction, *, tenant_id: str | None, user_id: str, now: int, why: str
    ) -> int:
        """Take back all that one user allows, in one tenant or (None) everywhere; how many grants that were."""
        found = of_user(transaction.conn, tenant_id=tenant_id, user_id=user_id)
        self.revoke(transaction, found, now=now, why=why)
        return len(found)

    def revoke_of_tenant(
        self, transaction: Transaction, *, tenant_id: str, now: int, why: str
    ) -> int:
        """Take back all that anyone allows in one tenant, and what its clients hold for themselves."""
        found = of_tenant(transaction.conn, tenant_id)
        self.revoke(transaction, found, now=now, why=why)
        own = select(_clients.c.client_id).where(_clients.c.tenant_id == tenant_id)
        subjects = [revocations.own(name) for name in transaction.execute(own).scalars()]
        revocations.add(transaction, *subjects, now=now)
        return len(found)

    def revoke(
        self, transaction: Transaction, grants: Sequence[Grant], *, now: int, why: str
    ) -> None:
        """Take grants back: codes under way, refresh tokens and access tokens end with the commit."""
        for start in range(0, len(grants), SLICE):
            self._revoke_slice(transaction, grants[start : start + SLICE], now=now, why=why)

    def end_families(
        self, transaction: Transaction, ended: Sequence[families.Family], *, now: int
    ) -> None:
        """End some of what hangs on grants; the grants themselves stand."""
        for family in ended:
            families.revoke(transaction, family.id, client_id=family.client_id, now=now)
            revocations.add(transaction, revocations.family(family.id), now=now)
            self._audit.record(transaction, family.event("token.revoked", now))

    def _revoke_slice(
        self, transaction: Transaction, grants: Sequence[Grant], *, now: int, why: str
    ) -> None:
        ids = [grant.id for grant in grants]
        # The rows first: their deletion waits for any redemption that holds them (see families.redeem).
        transaction.execute(delete(table).where(table.c.id.in_(ids)))
        families.revoke_for_grants(transaction, ids, now=now)
        subjects = [revocations.grant(identifier) for identifier in ids]
        revocations.add(transaction, *subjects, now=now)
        for grant in grants:
            self._audit.record(transaction, _event("grant.revoked", grant, now, why=why))


def remembered(
    connection: Connection, *, client_id: str, tenant_ids: Sequence[str], user_id: str
) -> list[Grant]:
    """What the user has allowed this client so far, in these tenants."""
    statement = select(table).where(
        table.c.client_id == client_id,
        table.c.user_id == checked_id("user_id", user_id),
        table.c.tenant_id.in_(checked_ids("tenant_ids", tenant_ids)),
    )
    return _grants(connection, statement)


def of_user(connection: Connection, *, tenant_id: str | None, user_id: str) -> list[Grant]:
    """All that one user allows in one tenant; in all of them only where the caller says so, with None."""
    statement = select(table).where(table.c.user_id == checked_id("user_id", user_id))
    if tenant_id is not None:
        statement = statement.where(table.c.tenant_id == checked_id("tenant_id", tenant_id))
    return _grants(connection, statement)


def of_tenant(connection: Connection, tenant_id: str) -> list[Grant]:
    """All that anyone allows in one tenant."""
    tenant = checked_id("tenant_id", tenant_id)
    return _grants(connection, select(table).where(table.c.tenant_id == tenant))


def one_of_user(
    connection: Connection, grant_id: str, *, tenant_ids: Sequence[str], user_id: str
) -> Grant:
    """The user's own grant; `NotFound` for anyone else's."""
    statement = select(table).where(
        table.c.id == grant_id,
        table.c.user_id == checked_id("user_id", user_id),
        table.c.tenant_id.in_(checked_ids("tenant_ids", tenant_ids)),
    )
    found = _grants(connection, statement) if looks_like_id(grant_id) else []
    if not found:
        raise NotFound("grant", grant_id)
    return found[0]


def matching(connection: Connection, **wanted: str | None) -> list[Grant]:
    """Grants by any of id, tenant_id, user_id and client_id: for operators at the command line only."""
    statement = select(table).order_by(table.c.tenant_id, table.c.created_at)
    for column, value in wanted.items():
        if value is not None:
            statement = statement.where(table.c[column] == value)
    return _grants(connection, statement)


@cache
def _insert_statement(dialect: str) -> Insert:
    return insert_if_parent_exists(
        table, dialect, _clients, _clients.c.client_id == bindparam("client_id")
    )


def _grants(connection: Connection, statement: Select[Any]) -> list[Grant]:
    return [grant_of(row._mapping) for row in connection.execute(statement)]


def grant_of(values: Any) -> Grant:
    """The grant in a mapping that has all columns of the table, and perhaps more."""
    known = {name: values[name] for name in Grant.__dataclass_fields__}
    return Grant(**known | {"organization_id": values["organization_id"] or None})


def _by_key(**key: str) -> Select[Any]:
    return select(table).filter_by(**key)


def _event(name: str, grant: Grant, now: int, **detail: str) -> Event:
    return Event(
        name=name,
        at=now,
        tenant_id=grant.tenant_id,
        user_id=grant.user_id,
        client_id=grant.client_id,
        grant_id=grant.id,
        detail=detail,
    )
