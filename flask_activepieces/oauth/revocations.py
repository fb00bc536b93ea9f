"""Revocations of access tokens: written when something ends, consulted by every bearer check.

An access token is a signed statement that cannot be called back, so what must not be believed any more is
listed here until the last token that it could concern has expired. A token is looked up by the things that it
belongs to: itself, its family, its grant (or what its client bought for itself), its client. Disabling a user or
a tenant ends their grants.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ..clock import CLOCK_SKEW
from ..config.settings import LONGEST_ACCESS_TOKEN_TTL
from ..errors import Unavailable
from ..storage import tables
from ..storage.database import Database, Transaction
from ..storage.upserts import upsert
from .tokens.access_tokens import AccessToken

_table = tables.revocations

#: A row outlives every token that it could concern, also one from before the lifetime was made shorter. The skew
#: counts twice: between whoever issued and whoever revoked, and between whoever prunes and whoever checks.
KEPT_FOR = LONGEST_ACCESS_TOKEN_TTL + 2 * CLOCK_SKEW

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
    dialect = transaction.conn.dialect.name
    times = {
        "created_at": now,
        "expires_at": (now + KEPT_FOR) if until is None else until + CLOCK_SKEW,
    }
    # Ended before, it has to stay so for as long as what was issued since could live.
    statement = upsert(_table, dialect, tuple(times))
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
        self,
        database: Database,
        *,
        max_staleness: int,
        patience: float = PATIENCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._copy = _Copy(database, max_staleness, patience, monotonic) if max_staleness else None

    def is_revoked(self, access: AccessToken, *, now: int) -> bool:
        """Whether anything that the token belongs to has ended; one statement, or none within the bound."""
        if self._copy is not None:
            copy = self._copy.at(now)
            found = [(name, copy[name]) for name in subjects_of(access) if name in copy]
            return _ends(found, access)
        return self._database.read(lambda conn: is_revoked(conn, access))


@dataclass(frozen=True)
class _Loaded:
    """Every revocation that the database had at one moment, unless it expired before ``complete_from``."""

    #: When the moment was, by the clock that only goes forward, and by the clock of the tokens.
    monotonic: float
    at: int
    #: Since when each subject is revoked.
    subjects: dict[str, int]

    @property
    def complete_from(self) -> int:
        """Rows that expired earlier were not loaded."""
        return self.at - CLOCK_SKEW


class _Copy:
    """The revocations in memory, loaded in full when the copy is older than the bound.

    It misses none that was committed ``max_staleness`` seconds before the check, whatever the clocks do:

    - Each load reads every row that has not expired. It compares no ``created_at``, so it does not matter how long
      the revoking transaction took, nor which time another machine wrote.
    - A copy is used for ``max_staleness`` seconds after its SELECT began, by a clock that cannot be set. A commit
      from before that SELECT is in it. The clock of the tokens can only make the copy older, never younger: it goes
      on while a machine is suspended, and the other one need not.
    - A row is left out only if it expired before ``complete_from``. Every token that it concerns had expired then,
      too (see `KEPT_FOR`), and is refused before this class is asked, unless the clock went back behind that
      instant: then the copy is loaded again.

    One thread asks the database, and the others wait for what it hears. While the database hangs they do so for
    `PATIENCE` seconds, and if it fails they all hear of that at once: none of them asks again.
    """

    def __init__(
        self,
        database: Database,
        max_staleness: int,
        patience: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._max_staleness = max_staleness
        self._patience = patience
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._loaded: _Loaded | None = None

    def at(self, now: int) -> dict[str, int]:
        """Since when each subject is revoked."""
        loaded = self._loaded
        if loaded is None or self._is_old(loaded, now):
            loaded = self._bring_up_to_date(now, seen_failures=self._failures)
        return loaded.subjects

    def _bring_up_to_date(self, now: int, *, seen_failures: int) -> _Loaded:
        if not self._lock.acquire(timeout=self._patience):
            raise Unavailable("database")
        try:
            loaded = self._loaded
            if loaded is None or self._is_old(loaded, now):
                if self._failures != seen_failures:
                    raise Unavailable("database")
                loaded = self._loaded = self._load(now)
            return loaded
        finally:
            self._lock.release()

    def _is_old(self, loaded: _Loaded, now: int) -> bool:
        age = max(self._monotonic() - loaded.monotonic, now - loaded.at)
        return age >= self._max_staleness or now < loaded.complete_from

    def _load(self, now: int) -> _Loaded:
        began = self._monotonic()
        values = {"since": now - CLOCK_SKEW}
        try:
            rows = self._database.read(lambda connection: connection.execute(_ALL, values).all())
        except Exception:
            self._failures += 1
            raise
        return _Loaded(began, now, {subject: since for subject, since in rows})


_SUBJECTS = ("token", "family", "grant", "client")
_FIND = select(_table.c.subject, _table.c.created_at).where(
    _table.c.subject.in_([bindparam(name) for name in _SUBJECTS])
)
_ALL = select(_table.c.subject, _table.c.created_at).where(
    _table.c.expires_at >= bindparam("since")
)
