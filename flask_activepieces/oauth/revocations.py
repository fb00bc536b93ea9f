"""Revocations of access tokens: written when something ends, consulted by every bearer check.

An access token is a signed statement that cannot be called back, so what must not be believed any more is
listed here until the last token that it could concern has expired. A token is looked up by the things that it
belongs to: itself, its family, its grant (or what its client bought for itself), its client. Disabling a user or
a tenant ends their grants.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select

from ..config import LONGEST_ACCESS_TOKEN_TTL
from ..database import Database, Transaction
from ..errors import Unavailable
from ..inserts import insert_or_update
from ..models import RevocationRow
from .access_tokens import AccessToken

_table: Table = RevocationRow.__table__  # type: ignore[assignment]  # FromClause in the stubs, a Table in fact

#: Clocks of several machines may differ by this much.
CLOCK_SKEW = 60
#: A row outlives every token that it could concern, also one from before the lifetime was made shorter.
KEPT_FOR = LONGEST_ACCESS_TOKEN_TTL + CLOCK_SKEW

#: How many seconds a bearer check waits for another thread's look at the revocations.
PATIENCE = 5.0


def token(jti: str) -> str:
    """The subject of one access token."""
    return f"token:{jti}"


def family(family_id: str) -> str:
    """The subject of all that one code bought."""
    return f"family:{family_id}"


def grant(grant_id: str) -> str:
    """The subject of all that a user allowed a client in a tenant."""
    return f"grant:{grant_id}"


def client(client_id: str) -> str:
    """The subject of all that a client has."""
    return f"client:{client_id}"


def own(client_id: str) -> str:
    """The subject of what a client bought with its own credentials, for no user."""
    return f"own:{client_id}"


def subjects_of(access: AccessToken) -> tuple[str, str, str, str]:
    """The four subjects that end this token."""
    itself, bought_by = token(access.jti), client(access.client_id)
    if access.grant_id is None or access.family_id is None:
        return itself, itself, own(access.client_id), bought_by
    return itself, family(access.family_id), grant(access.grant_id), bought_by


def add(transaction: Transaction, *subjects: str, now: int, until: int | None = None) -> None:
    """From the commit on, no access token of these subjects is believed; ``until`` the last of them ends."""
    dialect = transaction.connection.dialect.name
    times = {
        "created_at": now,
        "expires_at": (now + KEPT_FOR) if until is None else until + CLOCK_SKEW,
    }
    # Ended before, it has to stay so for as long as what was issued since could live.
    statement = insert_or_update(_table, dialect, tuple(times))
    for subject in subjects:
        transaction.execute(statement, {"subject": subject} | times)


def is_revoked(connection: Connection, access: AccessToken) -> bool:
    """Whether anything that the token belongs to has ended, as the database says now."""
    return _ends(connection.execute(_FIND, _values_of(access)), access)


def _ends(rows: Iterable[Any], access: AccessToken) -> bool:
    """Whether one of these rows, each a subject and since when it is revoked, ends the token.

    What a client buys for itself has no grant that could be taken back and given anew, so there the time
    decides: a token that was bought later is good.
    """
    return any(
        not subject.startswith("own:") or access.issued_at <= since for subject, since in rows
    )


def _values_of(access: AccessToken) -> dict[str, str]:
    return dict(zip(_SUBJECTS, subjects_of(access), strict=True))


class RevocationCheck:
    """Answers "is this token revoked?" from the database, or from a copy no older than ``max_staleness``."""

    def __init__(
        self, database: Database, *, max_staleness: int, patience: float = PATIENCE
    ) -> None:
        self._database = database
        self._copy = _Copy(database, max_staleness, patience) if max_staleness else None

    def is_revoked(self, access: AccessToken, *, now: int) -> bool:
        """Whether anything that the token belongs to has ended; one statement, or none within the bound."""
        if self._copy is not None:
            copy = self._copy.at(now)
            found = [(name, copy[name].since) for name in subjects_of(access) if name in copy]
            return _ends(found, access)
        return _ends(self._database.rows(_FIND, _values_of(access)), access)


@dataclass(frozen=True)
class _Revoked:
    since: int
    until: int


@dataclass(frozen=True)
class _Loaded:
    at: int
    subjects: dict[str, _Revoked]


class _Copy:
    """The revocations of the last day in memory, brought up to date when older than the bound.

    One thread asks the database, and the others wait for what it hears. While the database hangs they do so for
    `PATIENCE` seconds, and if it fails they all hear of that at once: none of them asks again.
    """

    def __init__(self, database: Database, max_staleness: int, patience: float) -> None:
        self._database = database
        self._max_staleness = max_staleness
        self._patience = patience
        self._lock = threading.Lock()
        self._failures = 0
        self._loaded = _Loaded(-(10**10), {})

    def at(self, now: int) -> dict[str, _Revoked]:
        if self._is_old(now):
            self._bring_up_to_date(now, seen_failures=self._failures)
        return self._loaded.subjects

    def _bring_up_to_date(self, now: int, *, seen_failures: int) -> None:
        if not self._lock.acquire(timeout=self._patience):
            raise Unavailable("database")
        try:
            if self._is_old(now):
                if self._failures != seen_failures:
                    raise Unavailable("database")
                self._loaded = self._update(now)
        finally:
            self._lock.release()

    def _is_old(self, now: int) -> bool:
        return now - self._loaded.at >= self._max_staleness

    def _update(self, now: int) -> _Loaded:
        try:
            return self._look(now)
        except Exception:
            self._failures += 1
            raise

    def _look(self, now: int) -> _Loaded:
        # What other machines wrote with a slower clock, or had not committed at the last look, is behind
        # that look: so it begins a little before.
        since = {"since": self._loaded.at - CLOCK_SKEW, "now": now}
        fresh = self._database.read(lambda connection: connection.execute(_SINCE, since).all())
        kept = {name: row for name, row in self._loaded.subjects.items() if row.until > now}
        new = {row.subject: _Revoked(row.created_at, row.expires_at) for row in fresh}
        return _Loaded(now, kept | new)


_SUBJECTS = ("token", "family", "grant", "client")
_FIND = select(_table.c.subject, _table.c.created_at).where(
    _table.c.subject.in_([bindparam(name) for name in _SUBJECTS])
)
_SINCE = select(_table).where(
    _table.c.created_at >= bindparam("since"), _table.c.expires_at > bindparam("now")
)
