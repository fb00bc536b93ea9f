"""Token families: created when a code is redeemed, changed by each refresh, and revoked.

Each of these writes is one conditional statement, so that of any number of parallel requests exactly one succeeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, and_, bindparam, case, func, literal_column, select, update

from ...crypto.keyring import random_id
from ...storage import tables
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from ...storage.dialects import insert_if_parent_exists
from .. import revocations
from .refresh_tokens import RefreshToken, Rotation

table = tables.token_families
grants = tables.grants


@dataclass(frozen=True, kw_only=True)
class Family(Rotation):
    """Everything issued from one code: for whom, with which scope, and which refresh token is the current one."""

    id: str
    client_id: str
    tenant_id: str
    user_id: str
    organization_id: str | None
    grant_id: str
    scope: str
    #: The name of the resource that its access tokens are for.
    resource: str
    secret: str = field(repr=False)
    refresh_count: int
    created_at: int
    expires_at: int
    revoked_at: int | None

    @property
    def current_token(self) -> RefreshToken:
        """The one refresh token that rotates."""
        return RefreshToken(self.id, self.generation, self.nonce)

    def is_active(self, now: int) -> bool:
        """Whether its refresh tokens may still be used."""
        return self.revoked_at is None and now < self.expires_at

    def event(self, name: str, at: int, client_name: str | None = None) -> Event:
        """An event about it; with the name of its client, if the event is stored."""
        return Event(
            name=name,
            at=at,
            tenant_id=self.tenant_id,
            user_id=self.user_id,
            client_id=self.client_id,
            grant_id=self.grant_id,
            family_id=self.id,
            detail={"client": client_name} if client_name else {},
        )


FIELDS = tuple(column.name for column in fields(Family))

#: A family without its grant is revoked, whatever its row says: at REPEATABLE READ, the transaction that revoked the
#: grant may not have seen a family that was redeemed at the same time.
_REVOKED_AT = case(
    (grants.c.id.is_(None), func.coalesce(table.c.revoked_at, literal_column("0"))), else_=table.c.revoked_at
)
COLUMNS = tuple(_REVOKED_AT.label(name) if name == "revoked_at" else table.c[name] for name in FIELDS)
GRANT_OF_FAMILY = grants.c.id == table.c.grant_id
_FIND = (
    select(*COLUMNS).select_from(table.outerjoin(grants, GRANT_OF_FAMILY)).where(table.c.id == bindparam("family_id"))
)


def family_from_row(values: Mapping[str, Any]) -> Family:
    """The family in a mapping that has all columns of the table."""
    return Family(**{name: values[name] for name in FIELDS})


def with_next_token(family: Family, *, used: RefreshToken, now: int, lifetime: int) -> Family:
    """The family after the token that was used has been exchanged for its successor."""
    replaced = with_replaced_token(family, now=now, lifetime=lifetime)
    return replace(replaced, generation=used.generation + 1, previous_nonce=used.nonce)


def with_replaced_token(family: Family, *, now: int, lifetime: int) -> Family:
    """The family after a new token has taken the place of its unused current one."""
    return replace(
        family, nonce=random_id(), refresh_count=family.refresh_count + 1, rotated_at=now, expires_at=now + lifetime
    )


class TokenFamilies:
    """The token families of one app."""

    def __init__(self, database: Database, *, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def find(self, family_id: str) -> Family | None:
        """The family with that id, of any client: its token must still be verified."""
        ids = {"family_id": family_id}
        row = self._database.read(lambda conn: conn.execute(_FIND, ids).one_or_none())
        return None if row is None else family_from_row(row._asdict())

    def store_if_unredeemed(self, family: Family) -> bool:
        """Store the family if its code was not redeemed before and its grant still exists; whether it was stored.

        The grant's row is locked against deletion until the commit. So a user who disconnects at the same time is
        either first, and nothing is stored, or waits, and the new family is revoked.
        """
        statement = _insert_statement(self._database.dialect)
        if self._database.write(statement, vars(family)):
            self._audit.notify(family.event("token.issued", family.created_at))
            return True
        # The response to our own COMMIT may have been lost, and the INSERT repeated.
        stored = self.find(family.id)
        return stored is not None and stored.secret == family.secret and stored.revoked_at is None

    def store_rotation(self, before: Family, after: Family) -> bool:
        """Store what a refresh changes; False if the family was rotated or revoked meanwhile."""
        values = {name: getattr(after, name) for name in _ROTATED} | {
            "family_id": before.id,
            "expected_generation": before.generation,
            "expected_nonce": before.nonce,
        }
        stored = self._database.write(_ROTATE, values) == 1
        if stored:
            self._audit.notify(after.event("token.refreshed", after.rotated_at))
        return stored

    def revoke(self, family_id: str, event: Event, *, client_id: str) -> bool:
        """Revoke one family of this client with its access tokens, and record the event; whether it exists."""

        def run(transaction: Transaction) -> bool:
            exists = revoke(transaction, family_id, client_id=client_id, now=event.at)
            if exists:
                revocations.add(transaction, revocations.family(family_id), now=event.at)
                self._audit.record(transaction, event)
            return exists

        return self._database.run_in_transaction(run)


def revoke(transaction: Transaction, family_id: str, *, client_id: str, now: int) -> bool:
    """Revoke one family of this client; True if there is such a family, revoked before or not."""
    this = and_(table.c.id == family_id, table.c.client_id == client_id)
    return revoke_where(transaction, this, now=now) == 1


def revoke_where(transaction: Transaction, condition: ColumnElement[bool], *, now: int) -> int:
    """Revoke every family that meets the condition; how many do, revoked before or not."""
    # A family is marked and not deleted, so that a replay of its code or tokens is still recognized.
    revocation = update(table).values(revoked_at=func.coalesce(table.c.revoked_at, now))
    return transaction.execute_rowcount(revocation.where(condition))


def active_for_grant(conn: Connection, grant_id: str, *, now: int) -> list[Family]:
    """The families of a grant that can be refreshed."""
    statement = select(*(table.c[name] for name in FIELDS)).where(
        table.c.grant_id == grant_id, table.c.revoked_at.is_(None), table.c.expires_at > now
    )
    return [family_from_row(row._asdict()) for row in conn.execute(statement)]


@cache
def _insert_statement(dialect: str) -> Insert:
    return insert_if_parent_exists(
        table,
        dialect,
        grants,
        grants.c.id == bindparam("grant_id"),
        grants.c.client_id == bindparam("client_id"),
        grants.c.tenant_id == bindparam("tenant_id"),
    )


#: The columns that a refresh overwrites.
_ROTATED = ("generation", "nonce", "previous_nonce", "refresh_count", "rotated_at", "expires_at")
_ROTATE = (
    update(table)
    .where(
        table.c.id == bindparam("family_id"),
        table.c.generation == bindparam("expected_generation"),
        table.c.nonce == bindparam("expected_nonce"),
        table.c.revoked_at.is_(None),
    )
    .values({name: bindparam(name) for name in _ROTATED})
)
