"""Leases: only one worker at a time, on any machine, without holding a database connection meanwhile.

Activepieces does not save a connection in one step, and accepts several with the same external id: of 12
simultaneous upserts of a new one, up to 10 created a connection each on a 0.85.2 server. So a lease of the external
id comes first: a row that expires, inserted and deleted by one statement each. Other requests wait.

Only the call that saves can leave something behind. The lease is renewed right before that call, and is not released
if its outcome is unknown: Activepieces may still be working on it, for 300 seconds at most. Any other failure changes
nothing, so the next request may try at once.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from math import ceil

from sqlalchemy import delete, select, update

from ...api_client.errors import ApiError, CallTimedOut, ConnectionFailed
from ...clock import Clock
from ...errors import Locked, Unavailable
from ...storage import tables
from ...storage.database import Database

_table = tables.leases

#: How long an Activepieces without a worker may work on a call.
MAX_SERVER_SECONDS = 300
#: For the retries of a call, and for differences between clocks.
_MARGIN = 20
#: How many seconds to wait for another holder.
MAX_WAIT = 20.0


@dataclass
class Lease:
    kind: str
    name: str
    holder: str
    #: Whether it is kept until it expires, because Activepieces may still be working.
    is_kept: bool = False


class Leases:
    """The leases of one app; ``timeout`` is how many seconds to wait for a response of Activepieces."""

    def __init__(
        self, database: Database, *, clock: Clock, timeout: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._database = database
        self._clock = clock
        self._sleep = sleep
        #: A worker that died leaves a lease behind; when it expires, Activepieces has finished.
        self.duration = MAX_SERVER_SECONDS + ceil(timeout) + _MARGIN

    @contextmanager
    def acquire(self, kind: str, *key: str) -> Iterator[Lease]:
        """Hold the lease of this key; `Locked` if another holder does not release it in time."""
        lease = Lease(kind, _name(kind, *key), secrets.token_hex(16))
        waited = 0.0
        while (held_until := self._held_until(lease)) is not None:
            if waited >= MAX_WAIT:
                raise Locked(kind, retry_after=max(1, held_until - int(self._clock())))
            pause = random.uniform(0.5, 1.0) * min(0.02 + waited / 4, 0.5)  # noqa: S311  # jitter
            self._sleep(pause)
            waited += pause
        try:
            yield lease
        finally:
            if not lease.is_kept:
                self._release(lease)

    @contextmanager
    def uncertain_call(self, lease: Lease) -> Iterator[None]:
        """Around the call that Activepieces may complete although its response is lost."""
        if not self._replace_holder(lease.name, lease.holder, lease.holder):
            # The work before the call took so long that the lease expired, and another holder has it.
            raise Locked(lease.kind, retry_after=self.duration)
        # Also if the worker is stopped during the call.
        lease.is_kept = True
        try:
            yield
        except Exception as error:
            lease.is_kept = outcome_unknown(error)
            raise
        lease.is_kept = False

    def claim_once(self, kind: str, *key: str, expires_at: int) -> bool:
        """Whether this is the first claim of the key, until then."""
        return self._insert(_name(kind, *key), secrets.token_hex(16), expires_at)

    def _held_until(self, lease: Lease) -> int | None:
        """None if the lease was acquired, otherwise when that of another holder expires."""
        now = int(self._clock())
        statement = select(_table).filter_by(name=lease.name)
        row = self._database.read(lambda conn: conn.execute(statement).first())
        if row is None:
            return None if self._insert(lease.name, lease.holder, now + self.duration) else now
        if row.expires_at <= now and self._replace_holder(lease.name, row.holder, lease.holder):
            return None
        return int(row.expires_at)

    # Each is one statement: with two, gap locks could make two workers on MySQL wait for each other.

    def _insert(self, name: str, holder: str, expires_at: int) -> bool:
        return self._database.insert_ignore(_table, {"name": name, "holder": holder, "expires_at": expires_at})

    def _replace_holder(self, name: str, current: str, new: str) -> bool:
        values = {"holder": new, "expires_at": int(self._clock()) + self.duration}
        return self._database.write(update(_table).filter_by(name=name, holder=current).values(values)) == 1

    def _release(self, lease: Lease) -> None:
        with suppress(Unavailable):  # it expires
            self._database.write(delete(_table).filter_by(name=lease.name, holder=lease.holder))


def outcome_unknown(error: Exception) -> bool:
    """Whether Activepieces may have completed the call, or still complete it, although it failed."""
    if isinstance(error, ConnectionFailed | CallTimedOut):
        return error.outcome_unknown
    # From a proxy that did not wait for Activepieces.
    return isinstance(error, ApiError) and error.status in (502, 504)


def _name(*key: str) -> str:
    return sha256("\0".join(key).encode()).hexdigest()
