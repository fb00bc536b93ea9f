"""Work that one of several workers does for all, on any machine, and claims that succeed once.

The worker that inserts the row of the work does it; the others wait until the row is gone, and find the result. If
the worker died, the row expires.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256

from sqlalchemy import delete, select, update

from ..clock import Clock
from ..crypto.keyring import random_id
from ..errors import Unavailable
from . import tables
from .database import Database

_table = tables.leases


class SingleFlight:
    """One kind of work, which takes at most ``seconds``."""

    def __init__(
        self,
        database: Database,
        kind: str,
        *,
        clock: Clock,
        seconds: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._kind = kind
        self._clock = clock
        self._seconds = seconds
        self._sleep = sleep

    @contextmanager
    def attempt(self, key: str) -> Iterator[bool]:
        """True in the block of the one worker that does the work now."""
        name, holder = _name(self._kind, key), random_id()
        is_ours = self._take(name, holder)
        try:
            yield is_ours
        finally:
            if is_ours:
                with suppress(Unavailable):  # it expires
                    self._database.write(delete(_table).filter_by(name=name, holder=holder))

    def wait(self, key: str) -> None:
        """Return when no worker does the work any more, or when it takes too long."""
        name, waited = _name(self._kind, key), 0.0
        while waited < self._seconds:
            row = self._database.read(lambda conn: conn.execute(select(_table).filter_by(name=name)).first())
            if row is None or row.expires_at <= int(self._clock()):
                return
            pause = random.uniform(0.5, 1.0) * min(0.02 + waited / 4, 0.25)  # noqa: S311  # jitter
            self._sleep(pause)
            waited += pause

    def _take(self, name: str, holder: str) -> bool:
        now = int(self._clock())
        expires_at = now + self._seconds
        if _claim(self._database, name=name, holder=holder, expires_at=expires_at):
            return True
        # The worker that had it died.
        is_expired = (_table.c.name == name) & (_table.c.expires_at <= now)
        values = {"holder": holder, "expires_at": expires_at}
        return self._database.write(update(_table).where(is_expired).values(values)) == 1


def claim_once(database: Database, kind: str, *key: str, expires_at: int) -> bool:
    """Whether this is the first claim of the key, until then."""
    return _claim(database, name=_name(kind, *key), holder=random_id(), expires_at=expires_at)


def _claim(database: Database, *, name: str, holder: str, expires_at: int) -> bool:
    """Insert the row; False if there is one with this name."""
    if database.insert_ignore(_table, {"name": name, "holder": holder, "expires_at": expires_at}):
        return True
    # The response to our own COMMIT may have been lost, and the INSERT repeated.
    statement = select(_table.c.holder).filter_by(name=name)
    return database.read(lambda conn: conn.scalar(statement)) == holder


def _name(*key: str) -> str:
    return sha256("\0".join(key).encode()).hexdigest()
