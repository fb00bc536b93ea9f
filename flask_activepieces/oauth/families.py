"""Token families in storage: made by redeeming a code, moved on by each refresh, ended by a revocation.

Each of the three is one conditional statement, so that of any number of racing requests exactly one wins on
every database, in any number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from authlib.oauth2.rfc6749 import TokenMixin
from sqlalchemy import (
    Connection,
    Insert,
    Table,
    bindparam,
    case,
    func,
    literal_column,
    select,
    update,
)

from ..audit import Audit, Change, Event
from ..database import Transaction
from ..inserts import insert_while
from ..models import GrantRow, TokenFamilyRow
from ..signing import random_id
from .codes import AuthorizationCode
from .refresh_tokens import RefreshToken, Rotation

table: Table = TokenFamilyRow.__table__  # type: ignore[assignment]  # FromClause in the stubs, a Table in fact
grants: Table = GrantRow.__table__  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class Family(TokenMixin):
    """One connection's standing: for whom, for what, and which refresh token is its current one."""

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

    def is_live(self, now: int) -> bool:
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
    .where(table.c.id == bindparam("wanted"))
)


def family_of(values: Mapping[str, Any]) -> Family:
    """The family in a mapping that has all columns of the table."""
    return Family(**{name: values[name] for name in FIELDS})


def find(connection: Connection, family_id: str) -> Family | None:
    """The family of that id, of whichever client: its token must still be proven genuine."""
    row = connection.execute(_FIND, {"wanted": family_id}).one_or_none()
    return None if row is None else family_of(row._asdict())


def begin(code: AuthorizationCode, *, now: int, lifetime: int) -> Family:
    """The family that a code would buy; nothing is stored yet."""
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
        rotated_at=now,
        created_at=now,
        expires_at=now + lifetime,
        revoked_at=None,
    )


def redeem(transaction: Transaction, family: Family, *, audit: Audit, now: int) -> bool:
    """Store the family if its code was not redeemed and its grant still stands; False if either fails.

    The grant's row is locked against deletion until the commit: a user who disconnects meanwhile either comes
    first, and nothing is stored, or waits, and finds the new family to revoke.
    """
    change = Change(_redeem_statement(transaction.dialect), vars(family))
    return audit.record_if(transaction, change, family.event("token.issued", now))


def is_stored(connection: Connection, family: Family) -> bool:
    """Whether this family, and not another one that the same code bought, is the stored one."""
    stored = find(connection, family.id)
    return stored is not None and stored.secret == family.secret and stored.revoked_at is None


def rotated(family: Family, *, past: RefreshToken, now: int, lifetime: int) -> Family:
    """Where the family stands once the presented token was exchanged for a successor."""
    successor = RefreshToken(family.id, past.generation + 1, random_id())
    return _with(family, successor, previous=past.nonce, now=now, lifetime=lifetime)


def displaced(family: Family, *, now: int, lifetime: int) -> Family:
    """Where the family stands once its unused current token has made room for a new one."""
    successor = RefreshToken(family.id, family.generation, random_id())
    return _with(family, successor, previous=family.previous_nonce, now=now, lifetime=lifetime)


def _with(
    family: Family, successor: RefreshToken, *, previous: str | None, now: int, lifetime: int
) -> Family:
    changed = {
        "generation": successor.generation,
        "nonce": successor.nonce,
        "previous_nonce": previous,
        "rotated_at": now,
        "expires_at": now + lifetime,
    }
    return Family(**vars(family) | changed)


def move(transaction: Transaction, family: Family, moved: Family, *, audit: Audit) -> bool:
    """Store where the family stands now; False when it has moved on meanwhile, or was ended."""
    values = {
        **{name: getattr(moved, name) for name in _MOVED},
        "this": family.id,
        "seen_generation": family.generation,
        "seen_nonce": family.nonce,
    }
    event = moved.event("token.refreshed", moved.rotated_at)
    is_counted = family.generation > 0
    return audit.record_if(transaction, Change(_MOVE, values), event, counted=is_counted)


def end(transaction: Transaction, family_id: str, *, client_id: str, now: int) -> bool:
    """End one family of this client; True if there is such a family, ended before or not."""
    statement = _ending(now).where(table.c.id == family_id, table.c.client_id == client_id)
    return transaction.changes(statement) == 1


def living_of_grant(connection: Connection, grant_id: str, *, now: int) -> list[Family]:
    """The families that hang on a grant and can still be refreshed."""
    statement = select(*(table.c[name] for name in FIELDS)).where(
        table.c.grant_id == grant_id, table.c.revoked_at.is_(None), table.c.expires_at > now
    )
    return [family_of(row._asdict()) for row in connection.execute(statement)]


def end_of_grants(transaction: Transaction, grant_ids: list[str], *, now: int) -> None:
    """End every family that hangs on these grants."""
    transaction.execute(_ending(now).where(table.c.grant_id.in_(grant_ids)))


def end_of_client(transaction: Transaction, client_id: str, *, now: int) -> None:
    """End every family of a client."""
    transaction.execute(_ending(now).where(table.c.client_id == client_id))


def _ending(now: int) -> Any:
    # A family is marked and not deleted, so that a replay of its code or tokens is still recognised.
    return update(table).values(revoked_at=func.coalesce(table.c.revoked_at, now))


@cache
def _redeem_statement(dialect: str) -> Insert:
    # Built once a dialect, because the words for "leave an existing row alone" differ.
    return insert_while(
        table,
        dialect,
        grants,
        grants.c.id == bindparam("grant_id"),
        grants.c.client_id == bindparam("client_id"),
        grants.c.tenant_id == bindparam("tenant_id"),
    )


#: What a refresh overwrites.
_MOVED = ("generation", "nonce", "previous_nonce", "rotated_at", "expires_at")
_MOVE = (
    update(table)
    .where(
        table.c.id == bindparam("this"),
        table.c.generation == bindparam("seen_generation"),
        table.c.nonce == bindparam("seen_nonce"),
        table.c.revoked_at.is_(None),
    )
    .values({name: bindparam(name) for name in _MOVED})
)
