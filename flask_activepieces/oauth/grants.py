"""Grants: what users allow OAuth clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, Select, and_, bindparam, delete, select, update

from ..clock import Clock
from ..crypto.keyring import looks_like_id, random_id
from ..errors import ClientNotAllowed, NotFound
from ..host.ids import checked_id, checked_ids
from ..host.interface import Principal, Workspace
from ..storage import tables
from ..storage.audit import Audit, Event
from ..storage.database import ConcurrentUpdate, Database, Transaction
from ..storage.dialects import insert_if_parent_exists
from . import personal_tokens, revocations
from . import scopes as scope_strings
from .clients import client as clients
from .clients.client import OAuthClient
from .clients.policy import lock_policy
from .tokens import families
from .tokens.families import Family
from .transactions import in_own_transaction

_table = tables.grants

#: How many ids one statement takes: every database has a limit, PostgreSQL's is 65,535.
BATCH_SIZE = 1000


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one user allows one client in one tenant, or in one organization of it."""

    id: str
    client_id: str
    tenant_id: str
    user_id: str
    organization_id: str | None
    workspace_name: str
    scope: str
    created_at: int
    updated_at: int

    def covers(self, scopes: Sequence[str]) -> bool:
        """Whether all of these scopes were allowed."""
        return set(scopes) <= set(scope_strings.split(self.scope))


class Grants:
    """The grants of one app.

    A method with the suffix ``_in`` is a part of the caller's transaction; without it, it has its own transaction.
    """

    def __init__(self, database: Database, *, clock: Clock, audit: Audit) -> None:
        self.database = database
        self._clock = clock
        self._audit = audit

    def approve_in(
        self,
        transaction: Transaction,
        client: OAuthClient,
        principal: Principal,
        workspace: Workspace,
        scopes: Sequence[str],
    ) -> Grant:
        """The user's grant for this client and workspace, created or updated.

        `NotFound` if the client was deleted meanwhile: a grant never outlives its client. `ClientNotAllowed` if an
        admin of the tenant does not allow it.
        """
        now = int(self._clock())
        decision = {"workspace_name": workspace.name[:190], "scope": scope_strings.join(scopes), "updated_at": now}
        key = {
            "client_id": client.client_id,
            "tenant_id": workspace.tenant_id,
            "user_id": principal.user_id,
            "organization_id": workspace.organization_id or "",
        }
        if client.is_self_registered:
            if not lock_policy(transaction, workspace.tenant_id, now=now).allows(client):
                raise ClientNotAllowed(client.name)
            # Before the row is read and locked for the grant: prune deletes clients that no one approved.
            this = clients.table.c.client_id == client.client_id
            if not transaction.execute_rowcount(update(clients.table).where(this).values(approved_at=now)):
                raise NotFound("OAuth client", client.client_id)
        existing = transaction.execute(select(_table).filter_by(**key)).one_or_none()
        if existing is None:
            values = {**key, **decision, "id": random_id(), "created_at": now}
            if transaction.execute_rowcount(_insert_statement(transaction.dialect), values) == 0:
                if clients.find_by_id(transaction.conn, client.client_id) is None:
                    raise NotFound("OAuth client", client.client_id)
                raise ConcurrentUpdate  # the same user approved in another window
        else:
            values = {**existing._mapping, **decision}
            renewal = update(_table).where(_table.c.id == existing.id).values(decision)
            if transaction.execute_rowcount(renewal) == 0:
                raise ConcurrentUpdate  # it has just been revoked
        grant = grant_from_row(values)
        self._audit.record(transaction, _event("grant.approved", grant, now, client.name, scope=grant.scope))
        return grant

    approve = in_own_transaction(approve_in)

    def existing_grants(self, *, client_id: str, tenant_ids: Sequence[str], user_id: str) -> list[Grant]:
        """What the user has allowed this client in these tenants."""
        return self.database.read(
            lambda conn: existing_grants(conn, client_id=client_id, tenant_ids=tenant_ids, user_id=user_id)
        )

    def get_for_user(self, grant_id: str, *, tenant_ids: Sequence[str], user_id: str) -> Grant:
        """The user's grant with this id; `NotFound` for anyone else's."""
        statement = select(_table).where(_table.c.id == grant_id, of_user(user_id, tenant_ids))
        grants = self.database.read(_all_of(statement)) if looks_like_id(grant_id) else []
        if not grants:
            raise NotFound("grant", grant_id)
        return grants[0]

    def search(self, **columns: str | None) -> list[Grant]:
        """Grants by any of id, tenant_id, user_id and client_id: for operators."""
        statement = select(_table).order_by(_table.c.tenant_id, _table.c.created_at)
        for name, value in columns.items():
            if value is not None:
                statement = statement.where(_table.c[name] == value)
        return self.database.read(_all_of(statement))

    def active_families(self, grant: Grant) -> list[Family]:
        """The token families of the grant that can still be refreshed."""
        now = int(self._clock())
        return self.database.read(lambda conn: families.active_for_grant(conn, grant.id, now=now))

    def revoke_in(self, transaction: Transaction, grants: Sequence[Grant], *, reason: str) -> None:
        """Revoke grants with everything that was issued for them: codes, refresh tokens and access tokens."""
        for start in range(0, len(grants), BATCH_SIZE):
            self._revoke_batch(transaction, grants[start : start + BATCH_SIZE], reason)

    revoke = in_own_transaction(revoke_in)

    @in_own_transaction
    def revoke_if_unused(self, transaction: Transaction, grant: Grant, *, reason: str) -> None:
        """Revoke the grant unless an active token family uses it."""
        if not families.active_for_grant(transaction.conn, grant.id, now=int(self._clock())):
            self.revoke_in(transaction, [grant], reason=reason)

    @in_own_transaction
    def revoke_user(self, transaction: Transaction, user_id: str, *, tenant_id: str | None, reason: str) -> int:
        """Revoke all grants of a user, in one tenant or (None) in all; returns how many there were."""
        statement = select(_table).where(_table.c.user_id == checked_id("user_id", user_id))
        if tenant_id is not None:
            statement = statement.where(_table.c.tenant_id == checked_id("tenant_id", tenant_id))
        grants = _all_of(statement)(transaction.conn)
        self.revoke_in(transaction, grants, reason=reason)
        personal_tokens.delete_in(transaction.conn, user_id=user_id, tenant_id=tenant_id)
        return len(grants)

    def revoke_tenant_in(self, transaction: Transaction, tenant_id: str, *, reason: str) -> int:
        """Revoke all grants in a tenant, and the tokens that its clients got for themselves; how many grants."""
        tenant = checked_id("tenant_id", tenant_id)
        grants = _all_of(select(_table).where(_table.c.tenant_id == tenant))(transaction.conn)
        self.revoke_in(transaction, grants, reason=reason)
        tenants_clients = clients.list_for_tenant(transaction.conn, tenant)
        subjects = [revocations.client_credentials(client.client_id) for client in tenants_clients]
        revocations.add(transaction, *subjects, now=int(self._clock()))
        personal_tokens.delete_in(transaction.conn, user_id=None, tenant_id=tenant)
        return len(grants)

    revoke_tenant = in_own_transaction(revoke_tenant_in)

    def revoke_families_in(self, transaction: Transaction, revoked: Sequence[Family]) -> None:
        """Revoke some of the token families of grants, which stay."""
        now = int(self._clock())
        names = clients.names_of(transaction.conn, sorted({family.client_id for family in revoked}))
        for family in revoked:
            families.revoke(transaction, family.id, client_id=family.client_id, now=now)
            revocations.add(transaction, revocations.family(family.id), now=now)
            self._audit.record(transaction, family.event("token.revoked", now, names.get(family.client_id)))

    def _revoke_batch(self, transaction: Transaction, grants: Sequence[Grant], reason: str) -> None:
        now = int(self._clock())
        ids = [grant.id for grant in grants]
        # The rows first: their deletion waits for any redemption that has locked one (see
        # `TokenFamilies.store_if_unredeemed`).
        transaction.execute(delete(_table).where(_table.c.id.in_(ids)))
        families.revoke_where(transaction, families.table.c.grant_id.in_(ids), now=now)
        revocations.add(transaction, *map(revocations.grant, ids), now=now)
        names = clients.names_of(transaction.conn, sorted({grant.client_id for grant in grants}))
        for grant in grants:
            name = names.get(grant.client_id)
            self._audit.record(transaction, _event("grant.revoked", grant, now, name, reason=reason))


def existing_grants(conn: Connection, *, client_id: str, tenant_ids: Sequence[str], user_id: str) -> list[Grant]:
    """What the user has allowed this client in these tenants."""
    statement = select(_table).where(_table.c.client_id == client_id, of_user(user_id, tenant_ids))
    return _all_of(statement)(conn)


def of_user(user_id: str, tenant_ids: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a grant is the user's, in one of these tenants."""
    return and_(
        _table.c.user_id == checked_id("user_id", user_id),
        _table.c.tenant_id.in_(checked_ids("tenant_ids", tenant_ids)),
    )


def grant_from_row(values: Mapping[str, Any]) -> Grant:
    """The grant in a mapping with all columns of the table."""
    columns = {name: values[name] for name in _FIELDS}
    return Grant(**columns | {"organization_id": values["organization_id"] or None})


_FIELDS = tuple(column.name for column in fields(Grant))


def _all_of(statement: Select[Any]) -> Callable[[Connection], list[Grant]]:
    return lambda conn: [grant_from_row(row._asdict()) for row in conn.execute(statement)]


@cache
def _insert_statement(dialect: str) -> Insert:
    return insert_if_parent_exists(
        _table, dialect, clients.table, clients.table.c.client_id == bindparam("client_id")
    )


def _event(name: str, grant: Grant, now: int, client_name: str | None, **detail: str) -> Event:
    return Event(
        name=name,
        at=now,
        tenant_id=grant.tenant_id,
        user_id=grant.user_id,
        client_id=grant.client_id,
        grant_id=grant.id,
        detail={"client": client_name, **detail} if client_name else detail,
    )
