"""Token families in storage: created by redeeming a code, changed by each refresh, ended by a revocation.

Each of the three is one conditional statement, so that of any number of racing requests exactly one wins on
every database, in any number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

from authlib.oauth2.rfc6749 import TokenMixin
from sqlalchemy import (
    Connection,
    Insert,
    bindparam,
    case,
    func,
    literal_column,
    select,
    update,
)

from ...crypto.keyring import random_id
from ...storage import tables
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from ...storage.upserts import insert_if_parent_exists
from .. import revocations
from ..authorization.codes import AuthorizationCode
from .refresh_tokens import RefreshToken, Rotation

table = tables.token_families
grants = tables.grants


@dataclass(frozen=True, kw_only=True)
class Family(TokenMixin):
    """Everything issued from one code: for whom, with which scope, and which refresh token is the current one."""

    id: str
    client_id: str
    tenant_id: str
    user_id: str
    organization_id: str | None
    grant_id: str
    scope: str
    secret: str = field(repr=False)
    generation: int
    nonce: str = field(repr=False)
    previous_nonce: str | None = field(repr=False)
    refresh_count: int
    rotated_at: int
    created_at: int
    expires_at: int
    revoked_at: int | None

    @property
    def rotation(self) -> Rotation:
        """The part that the rotation rule looks at."""
        return Rotation(
            generation=self.generation,
            nonce=self.nonce,
            previous_nonce=self.previous_nonce,
            rotated_at=self.rotated_at,
        )

    @property
    def current_token(self) -> RefreshToken:
        """The one refresh token that rotates."""
        return RefreshToken(self.id, self.generation, self.nonce)

    def is_active(self, now: int) -> bool:
        """Whether its refresh tokens may still be used."""
        return self.revoked_at is None and now < self.expires_at

    def event(self, name: str, at: int) -> Event:
        """What happened to it."""
        return Event(
            name=name,
            at=at,
            tenant_id=self.tenant_id,
            user_id=self.user_id,
            client_id=self.client_id,
            grant_id=self.grant_id,
            family_id=self.id,
        )

    # What Authlib's refresh grant asks of a credential:

    def check_client(self, client: Any) -> bool:
        """Whether the client is the one that redeemed the code."""
        return bool(client.client_id == self.client_id)

    def get_scope(self) -> str:
        """What the user allowed."""
        return self.scope


FIELDS = tuple(column.name for column in fields(Family))

#: A family whose grant is gone is revoked, whatever its row says: at REPEATABLE READ, whoever took the grant back
#: may not have seen a family that was redeemed in the same moment.
_REVOKED_AT = case(
    (grants.c.id.is_(None), func.coalesce(table.c.revoked_at, literal_column("0"))),
    else_=table.c.revoked_at,
)
COLUMNS = tuple(
    _REVOKED_AT.label(name) if name == "revoked_at" else table.c[name] for name in FIELDS
)
GRANT_OF_FAMILY = grants.c.id == table.c.grant_id
_FIND = (
    select(*COLUMNS)
    .select_from(table.outerjoin(grants, GRANT_OF_FAMILY))
    .where(table.c.id == bindparam("family_id"))
)


def family_from_row(values: Mapping[str, Any]) -> Family:
    """The family in a mapping that has all columns of the table."""
    return Family(**{name: values[name] for name in FIELDS})


def find(conn: Connection, family_id: str) -> Family | None:
    """The family of that id, of whichever client: its token must still be proven genuine."""
    row = conn.execute(_FIND, {"family_id": family_id}).one_or_none()
    return None if row is None else family_from_row(row._asdict())


def new_family(code: AuthorizationCode, *, now: int, lifetime: int) -> Family:
    """The family that a code can be redeemed for; nothing is stored yet."""
    return Family(
        id=code.jti,
        client_id=code.client_id,
        tenant_id=code.tenant_id,
        user_id=code.user_id,
        organization_id=code.organization_id,
        grant_id=code.grant_id,
        scope=code.scope,
        secret=random_id(),
        generation=0,
        nonce=random_id(),
        previous_nonce=None,
        refresh_count=0,
        rotated_at=now,
        created_at=now,
        expires_at=now + lifetime,
        revoked_at=None,
    )


def with_next_token(family: Family, *, used: RefreshToken, now: int, lifetime: int) -> Family:
    """The family after the token that was used has been exchanged for its successor."""
    return replace(
        _with_new_nonce(family, now=now, lifetime=lifetime),
        generation=used.generation + 1,
        previous_nonce=used.nonce,
    )


def with_replaced_token(family: Family, *, now: int, lifetime: int) -> Family:
    """The family after a new token has taken the place of its unused current one."""
    return _with_new_nonce(family, now=now, lifetime=lifetime)


def _with_new_nonce(family: Family, *, now: int, lifetime: int) -> Family:
    return replace(
        family,
        nonce=random_id(),
        refresh_count=family.refresh_count + 1,
        rotated_at=now,
        expires_at=now + lifetime,
    )


class TokenFamilies:
    """The stored families of one app. Each write is one conditional statement."""

    def __init__(self, database: Database, *, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def find(self, family_id: str) -> Family | None:
        """The family with that id, of any client: its token must still be verified."""
        return self._database.read(lambda conn: find(conn, family_id))

    def store_if_unredeemed(self, family: Family) -> bool:
        """Store the family if its code was not redeemed before and its grant still exists; whether it was stored.

        The grant's row is locked against deletion until the commit: a user who disconnects meanwhile either comes
        first, and nothing is stored, or waits, and revokes the new family.
        """
        statement = _insert_statement(self._database.dialect)
        if self._database.write(statement, vars(family)):
            self._audit.notify(family.event("token.issued", family.created_at))
            return True
        # The answer to our own COMMIT may have been lost, and the INSERT tried again.
        stored = self.find(family.id)
        return stored is not None and stored.secret == family.secret and stored.revoked_at is None

    def store_rotation(self, before: Family, after: Family) -> bool:
        """Store what a refresh changes; False if the family was rotated or revoked meanwhile."""
        values = {name: getattr(after, name) for name in _ROTATED} | {
            "family_id": before.id,
            "seen_generation": before.generation,
            "seen_nonce": before.nonce,
        }
        stored = self._database.write(_ROTATE, values) == 1
        if stored:
            self._audit.notify(after.event("token.refreshed", after.rotated_at))
        return stored

    def revoke(self, family_id: str, event: Event, *, client_id: str) -> bool:
        """Revoke one family of this client with its access tokens, and record why; whether it exists."""

        def run(transaction: Transaction) -> bool:
            exists = revoke(transaction, family_id, client_id=client_id, now=event.at)
            if exists:
                revocations.add(transaction, revocations.family(family_id), now=event.at)
                self._audit.record(transaction, event)
            return exists

        return self._database.run_in_transaction(run)


def revoke(transaction: Transaction, family_id: str, *, client_id: str, now: int) -> bool:
    """Revoke one family of this client; True if there is such a family, revoked before or not."""
    statement = _revocation(now).where(table.c.id == family_id, table.c.client_id == client_id)
    return transaction.execute_rowcount(statement) == 1


def active_for_grant(conn: Connection, grant_id: str, *, now: int) -> list[Family]:
    """The families of a grant that can still be refreshed."""
    statement = select(*(table.c[name] for name in FIELDS)).where(
        table.c.grant_id == grant_id, table.c.revoked_at.is_(None), table.c.expires_at > now
    )
    return [family_from_row(row._asdict()) for row in conn.execute(statement)]


def revoke_for_grants(transaction: Transaction, grant_ids: list[str], *, now: int) -> None:
    """Revoke every family of these grants."""
    transaction.execute(_revocation(now).where(table.c.grant_id.in_(grant_ids)))


def revoke_for_client(transaction: Transaction, client_id: str, *, now: int) -> None:
    """Revoke every family of a client."""
    transaction.execute(_revocation(now).where(table.c.client_id == client_id))


def _revocation(now: int) -> Any:
    # A family is marked and not deleted, so that a replay of its code or tokens is still recognised.
    return update(table).values(revoked_at=func.coalesce(table.c.revoked_at, now))


@cache
def _insert_statement(dialect: str) -> Insert:
    # Built once a dialect, because the words for "leave an existing row alone" differ.
    return insert_if_parent_exists(
        table,
        dialect,
        grants,
        grants.c.id == bindparam("grant_id"),
        grants.c.client_id == bindparam("client_id"),
        grants.c.tenant_id == bindparam("tenant_id"),
    )


#: The columns that a refresh overwrites.
_ROTATED = (
    "generation",
    "nonce",
    "previous_nonce",
    "refresh_count",
    "rotated_at",
    "expires_at",
)
_ROTATE = (
    update(table)
    .where(
        table.c.id == bindparam("family_id"),
        table.c.generation == bindparam("seen_generation"),
        table.c.nonce == bindparam("seen_nonce"),
        table.c.revoked_at.is_(None),
    )
    .values({name: bindparam(name) for name in _ROTATED})
)
