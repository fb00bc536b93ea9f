"""Revocations of access tokens: written when something is revoked, checked for every bearer token.

An access token is signed and valid until it expires. So each revocation is stored until the last token that it
concerns has expired. It names what it revokes: one token, a token family, a grant, what a client got with its own
credentials, or everything that a client has. Disabling a user or a tenant revokes their grants.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select

from ..clock import CLOCK_SKEW
from ..config.settings import LONGEST_ACCESS_TOKEN_TTL
from ..errors import Unavailable
from ..storage import tables
from ..storage.database import Database, Transaction
from ..storage.dialects import upsert
from .tokens.access_tokens import AccessToken

_table = tables.revocations

#: A row outlives every token that it concerns, also one from before the lifetime was shortened. The skew counts
#: twice: between the machines that issue and revoke, and between those that prune and check.
RETENTION = LONGEST_ACCESS_TOKEN_TTL + 2 * CLOCK_SKEW

#: How many seconds a bearer check waits for another thread that loads the revocations.
LOCK_TIMEOUT = 5.0


def token(jti: str) -> str:
    """The subject of one access token."""
    return f"token:{jti}"


def family(family_id: str) -> str:
    """The subject of everything that was issued from one code."""
    return f"family:{family_id}"


def grant(grant_id: str) -> str:
    """The subject of everything that was issued for a grant."""
    return f"grant:{grant_id}"


def client(client_id: str) -> str:
    """The subject of everything that a client has."""
    return f"client:{client_id}"


def client_credentials(client_id: str) -> str:
    """The subject of what a client got with its own credentials, without a user."""
    return f"client_credentials:{client_id}"


def add(transaction: Transaction, *subjects: str, now: int, expires_at: int | None = None) -> None:
    """Revoke the access tokens of these subjects; ``expires_at`` is when the last of them expires, if known."""
    times = {"created_at": now, "expires_at": now + RETENTION if expires_at is None else expires_at + CLOCK_SKEW}
    # Also if it was revoked before: it stays revoked as long as a token that was issued since could be valid.
    statement = upsert(_table, transaction.dialect, tuple(times))
    for subject in subjects:
        transaction.execute(statement, {"subject": subject} | times)


def is_revoked(conn: Connection, access: AccessToken) -> bool:
    """Whether the token is revoked, as the database says now."""
    rows = conn.execute(_FIND, dict(zip(_SUBJECTS, _subjects_of(access), strict=True)))
    return _is_revoked_by({subject: created_at for subject, created_at in rows}, access)


def _subjects_of(access: AccessToken) -> tuple[str, str, str, str]:
    this, its_client = token(access.jti), client(access.client_id)
    if access.grant_id is None or access.family_id is None:
        return this, this, client_credentials(access.client_id), its_client
    return this, family(access.family_id), grant(access.grant_id), its_client


def _is_revoked_by(revocations: Mapping[str, int], access: AccessToken) -> bool:
    """Whether one of the revocations, each with its time, is about this token.

    A client's credentials have no grant that is replaced after a revocation, so a client may use them again, and
    tokens that it gets later are valid. The clock of the machine that issued a token may be ahead of the one that
    revoked it: a token that is too new to tell is revoked, too.
    """
    for subject in _subjects_of(access):
        if subject in revocations:
            if subject != client_credentials(access.client_id):
                return True
            if access.issued_at <= revocations[subject] + CLOCK_SKEW:
                return True
    return False


class RevocationCheck:
    """Checks tokens against the database, or against a cache of at most ``max_staleness`` seconds."""

    def __init__(
        self,
        database: Database,
        *,
        max_staleness: int,
        lock_timeout: float = LOCK_TIMEOUT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._cache = _Cache(database, max_staleness, lock_timeout, monotonic) if max_staleness else None

    def is_revoked(self, access: AccessToken, *, now: int) -> bool:
        """Whether the token is revoked; one statement, or none while the cache is fresh."""
        if self._cache is not None:
            return _is_revoked_by(self._cache.get(now), access)
        return self._database.read(lambda conn: is_revoked(conn, access))


@dataclass(frozen=True)
class _Snapshot:
    """The revocations in the database at one moment, except those that expired before ``complete_from``."""

    #: The moment, by the clock that only goes forward, and by the clock of the tokens.
    monotonic: float
    at: int
    #: When each subject was revoked.
    subjects: Mapping[str, int]

    @property
    def complete_from(self) -> int:
        """Rows that expired earlier were not loaded."""
        return self.at - CLOCK_SKEW


@dataclass
class _Cache:
    """The revocations in memory, loaded in full when they are older than ``max_staleness``.

    Every revocation that was committed ``max_staleness`` seconds before a check is seen, whatever the clocks do:

    - Each load reads every row that has not expired. It compares no ``created_at``, so it does not matter how long
      the revoking transaction took, or which time another machine wrote.
    - A snapshot is used for ``max_staleness`` seconds after its SELECT began, by a clock that cannot be set. The
      clock of the tokens can only make it older, never newer: it goes on while a machine is suspended, and the other
      clock may not.
    - A row is left out only if it expired before ``complete_from``. Every token that it concerns had expired then,
      too (see `RETENTION`), and is rejected before this class is asked, unless the clock went back behind that
      moment: then the snapshot is loaded again.

    One thread queries the database, and the others wait for its result, at most ``lock_timeout`` seconds. If the
    query fails, they fail too, and do not query again.
    """

    database: Database
    max_staleness: int
    lock_timeout: float
    monotonic: Callable[[], float]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failures: int = 0
    _snapshot: _Snapshot | None = None

    def get(self, now: int) -> Mapping[str, int]:
        """When each subject was revoked."""
        snapshot, failures = self._snapshot, self._failures
        if snapshot is None or self._is_stale(snapshot, now):
            snapshot = self._refresh(now, failures)
        return snapshot.subjects

    def _refresh(self, now: int, failures: int) -> _Snapshot:
        if not self._lock.acquire(timeout=self.lock_timeout):
            raise Unavailable("database")
        try:
            snapshot = self._snapshot
            if snapshot is None or self._is_stale(snapshot, now):
                if self._failures != failures:
                    raise Unavailable("database")
                snapshot = self._snapshot = self._load(now)
            return snapshot
        finally:
            self._lock.release()

    def _is_stale(self, snapshot: _Snapshot, now: int) -> bool:
        age = max(self.monotonic() - snapshot.monotonic, now - snapshot.at)
        return age >= self.max_staleness or now < snapshot.complete_from

    def _load(self, now: int) -> _Snapshot:
        started, values = self.monotonic(), {"since": now - CLOCK_SKEW}
        try:
            rows = self.database.read(lambda conn: conn.execute(_ALL, values).all())
        except Exception:
            self._failures += 1
            raise
        return _Snapshot(started, now, {subject: created_at for subject, created_at in rows})


_SUBJECTS = ("token", "family", "grant", "client")
_FIND = select(_table.c.subject, _table.c.created_at).where(
    _table.c.subject.in_([bindparam(name) for name in _SUBJECTS])
)
_ALL = select(_table.c.subject, _table.c.created_at).where(_table.c.expires_at >= bindparam("since"))
