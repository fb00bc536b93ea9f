"""Personal access tokens: a user's own tokens, for programs that cannot show a consent page.

A token is random and stored as a hash. It has the scopes that its user chose, belongs to one workspace, may expire,
and ends with everything that ends the user's grants in that tenant. Short-lived ones of the kind ``sign_in`` are
issued for a user name and password, or for other fields that the host checks.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, or_, select, update

from ..clock import Clock
from ..config.scopes import Scope
from ..crypto.keyring import looks_like_id, random_id, sha256_hex
from ..errors import InvalidInput, NotFound
from ..host.ids import checked_id, checked_ids
from ..host.interface import Workspace
from ..messages import Message
from ..storage.audit import Audit, Event
from ..storage.database import Database, Transaction
from ..storage.dialects import insert_ignore
from ..storage.keyset import Keyset, Page
from ..storage.tables import personal_tokens
from . import scopes as scope_strings
from .tokens.access_tokens import AccessToken

#: Secret scanners find tokens by their prefix.
PREFIX = "apat_"
#: As long as an access token lives by default.
SIGN_IN_SECONDS = 3600
#: How precisely the last use is known: a write for each request would cost more than it tells.
LAST_USE_SECONDS = 300
MAX_NAME = 100
MAX_PER_USER = 100

Kind = Literal["personal", "sign_in"]

_table = personal_tokens
_NEWEST_FIRST = Keyset(_table.c.created_at, _table.c.id, descending=True)


@dataclass(frozen=True, kw_only=True)
class PersonalToken:
    """A personal access token, without its text."""

    id: str
    kind: Kind
    name: str
    tenant_id: str
    organization_id: str | None
    user_id: str
    workspace_name: str
    scope: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None

    def as_access_token(self, issuer: str) -> AccessToken:
        """The token as protected views see it."""
        return AccessToken(
            jti=self.id,
            issuer=issuer,
            audience=issuer,
            user_id=self.user_id,
            tenant_id=self.tenant_id,
            organization_id=self.organization_id,
            client_id="",
            grant_id=None,
            family_id=None,
            scope=self.scope,
            issued_at=self.created_at,
            expires_at=self.expires_at,
            personal_token_id=self.id,
        )


class PersonalTokens:
    """The personal access tokens of one app."""

    def __init__(self, database: Database, *, clock: Clock, audit: Audit, known_scopes: Mapping[str, Scope]) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._known_scopes = known_scopes

    def create(
        self,
        user_id: str,
        workspace: Workspace,
        *,
        name: str,
        scopes: Sequence[str],
        expires_at: int | None,
        kind: Kind = "personal",
    ) -> tuple[PersonalToken, str]:
        """The new token, and its text, which is shown once."""
        text, now = PREFIX + secrets.token_urlsafe(32), int(self._clock())
        self._validate(name, scopes, expires_at, now)
        token = PersonalToken(
            id=random_id(),
            kind=kind,
            name=name.strip(),
            tenant_id=workspace.tenant_id,
            organization_id=workspace.organization_id,
            user_id=checked_id("user_id", user_id),
            workspace_name=workspace.name[:190],
            scope=scope_strings.join(scopes),
            created_at=now,
            expires_at=expires_at,
            last_used_at=None,
        )
        row = {**vars(token), "organization_id": token.organization_id or "", "token_hash": sha256_hex(text)}

        def run(transaction: Transaction) -> None:
            owned = select(_table.c.id).where(_of_user(user_id, [token.tenant_id]), _table.c.kind == "personal")
            if kind == "personal" and len(transaction.execute(owned).all()) >= MAX_PER_USER:
                raise InvalidInput({"name": Message("You have too many tokens. Delete one first.")})
            # It is there already if the commit was not confirmed and the transaction runs again.
            is_new = transaction.execute_rowcount(insert_ignore(_table, transaction.dialect), row)
            if is_new and kind == "personal":
                self._audit.record(transaction, _event("personal_token.created", token, now))

        self._database.run_in_transaction(run)
        return token, text

    def find(self, text: str) -> PersonalToken | None:
        """The valid token with this text; its last use is now."""
        now = int(self._clock())
        token = self._database.read(lambda conn: find(conn, text, now=now))
        if token is not None and (token.last_used_at is None or now - token.last_used_at >= LAST_USE_SECONDS):
            self._database.write(update(_table).where(_table.c.id == token.id).values(last_used_at=now))
        return token

    def list_for_user(
        self, user_id: str, *, tenant_ids: Sequence[str], limit: int, cursor: str | None = None
    ) -> Page[PersonalToken]:
        """A page of the user's personal tokens in these tenants, the newest first."""
        statement = select(_table).where(
            _of_user(user_id, checked_ids("tenant_ids", tenant_ids)), _table.c.kind == "personal"
        )
        page = self._database.read(lambda conn: _NEWEST_FIRST.select(conn, statement, limit=limit, cursor=cursor))
        return page.map(_from_row)

    def search(self, **columns: str | None) -> Sequence[PersonalToken]:
        """Tokens of both kinds by any of id, tenant_id and user_id: for operators."""
        statement = select(_table).order_by(_table.c.tenant_id, _table.c.created_at, _table.c.id)
        for name, value in columns.items():
            if value is not None:
                statement = statement.where(_table.c[name] == value)
        return self._database.read(lambda conn: [_from_row(row) for row in conn.execute(statement)])

    def revoke(self, token_id: str, *, user_id: str, tenant_ids: Sequence[str]) -> None:
        """Revoke one token of the user; `NotFound` for any other."""
        now = int(self._clock())
        if not looks_like_id(token_id):
            raise NotFound("personal access token", token_id)

        def run(transaction: Transaction) -> None:
            condition = and_(_table.c.id == token_id, _of_user(user_id, tenant_ids))
            row = transaction.execute(select(_table).where(condition)).one_or_none()
            if row is None or not transaction.execute_rowcount(delete(_table).where(_table.c.id == token_id)):
                raise NotFound("personal access token", token_id)
            self._audit.record(transaction, _event("personal_token.revoked", _from_row(row), now))

        self._database.run_in_transaction(run)

    def _validate(self, name: str, scopes: Sequence[str], expires_at: int | None, now: int) -> None:
        problems: dict[str, str] = {}
        if not name.strip():
            problems["name"] = Message("Enter a name, such as the program that will use the token.")
        elif len(name.strip()) > MAX_NAME or any(ord(character) < 32 for character in name):
            problems["name"] = Message("Use a shorter name, on one line.")
        if not scopes:
            problems["scopes"] = Message("Select at least one permission.")
        elif set(scopes) - set(self._known_scopes):
            problems["scopes"] = Message("Select permissions of this app only.")
        if expires_at is not None and expires_at <= now:
            problems["expires_at"] = Message("Choose a date in the future.")
        if problems:
            raise InvalidInput(problems)


def looks_like_personal_token(text: str) -> bool:
    """Whether the text could be a personal access token: nothing else needs to be looked up."""
    return text.startswith(PREFIX)


def find(conn: Connection, text: str, *, now: int) -> PersonalToken | None:
    """The valid token with this text. It is found by its hash, so the time says nothing about the text."""
    is_valid = or_(_table.c.expires_at.is_(None), _table.c.expires_at > now)
    row = conn.execute(select(_table).where(_table.c.token_hash == sha256_hex(text), is_valid)).one_or_none()
    return None if row is None else _from_row(row)


def delete_in(conn: Connection, *, user_id: str | None, tenant_id: str | None) -> int:
    """Delete the tokens of a user, of a tenant, or of a user in a tenant; returns how many there were."""
    conditions: list[ColumnElement[bool]] = []
    if user_id is not None:
        conditions.append(_table.c.user_id == checked_id("user_id", user_id))
    if tenant_id is not None:
        conditions.append(_table.c.tenant_id == checked_id("tenant_id", tenant_id))
    assert conditions, "whose tokens?"
    return int(conn.execute(delete(_table).where(*conditions)).rowcount)


def _of_user(user_id: str, tenant_ids: Sequence[str]) -> ColumnElement[bool]:
    return and_(_table.c.user_id == user_id, _table.c.tenant_id.in_(tenant_ids))


def _from_row(row: Row[Any]) -> PersonalToken:
    values = {name: getattr(row, name) for name in PersonalToken.__dataclass_fields__}
    return PersonalToken(**{**values, "organization_id": values["organization_id"] or None})


def _event(name: str, token: PersonalToken, now: int) -> Event:
    return Event(name=name, at=now, tenant_id=token.tenant_id, user_id=token.user_id, detail={"name": token.name})
