"""Leases: one at a time, among all workers and machines, without a database connection while the work is done.

Activepieces does not make an upsert one step, and lets several connections have one external id: of 12 simultaneous
upserts of a new one, up to 10 made a connection each, on a 0.85.2 server. So who saves a connection takes a lease of
its external id first: a row with an end, taken and given back in transactions of one statement each. Others wait.

Only the call that saves can leave something behind. So the lease is renewed right before it, and when that call's
outcome is unknown the lease is not given back: Activepieces may still be at it, and says so after 300 seconds at the
latest. Whatever else fails has changed nothing, and the next may try at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from math import ceil

from sqlalchemy import delete, select, update

from ...api_client.errors import ApiError, CallTimedOut, ConnectionFailed
from ...clock import Clock
from ...crypto.keyring import random_id
from ...errors import Locked, Unavailable
from ...storage import tables
from ...storage.database import Database
from ...storage.upserts import insert_ignore

_table = tables.leases

#: For so long even an Activepieces without a worker may be at a call.
LONGEST_SILENCE = 300
#: How much longer than the timeout a call may take, with its repetitions, and how far clocks may differ.
_SLACK = 20
#: How many seconds to wait for another to finish.
PATIENCE = 20.0


class Lease:
    """A lease that is held: nobody else has it."""

    def __init__(self, renew: Callable[[], None]) -> None:
        self._renew = renew
        #: Whether it outlives the work, because Activepieces may.
        self.is_kept = False

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Around the call that Activepieces may go on with when its answer is lost."""
        self._renew()
        # And stays so when the worker is told to stop meanwhile.
        self.is_kept = True
        try:
            yield
        except Exception as error:
            self.is_kept = may_still_happen(error)
            raise
        self.is_kept = False


class Leases:
    """The leases of one app; ``timeout`` is how many seconds one answer of Activepieces is waited for."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        timeout: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sleep = sleep
        #: A worker that died leaves a lease behind; by its end Activepieces has finished what it was sent.
        self.lasts = LONGEST_SILENCE + ceil(timeout) + _SLACK

    @contextmanager
    def held(self, *what: str) -> Iterator[Lease]:
        """Do what only one may do at a time; `Locked` if the current holder does not finish. The kind comes first."""
        name, holder = _name_of(*what), random_id()
        self._wait_for(name, holder, what)
        lease = Lease(lambda: self._renew(name, holder, what))
        try:
            yield lease
        finally:
            if not lease.is_kept:
                self._give_back(name, holder)

    def first(self, *what: str, until: int) -> bool:
        """Whether nobody has asked this before; remembered until then."""
        return self._insert(_name_of(*what), random_id(), until)

    def _wait_for(self, name: str, holder: str, what: Sequence[str]) -> None:
        waited = 0.0
        while (taken_until := self._taken_until(name, holder)) is not None:
            if waited >= PATIENCE:
                left = max(1, taken_until - int(self._clock()))
                raise Locked(what[0], retry_after=left)
            # Longer each time, and not all at once.
            pause = random.uniform(0.5, 1.0) * min(0.02 + waited / 4, 0.5)  # noqa: S311  # jitter
            self._sleep(pause)
            waited += pause

    def _taken_until(self, name: str, holder: str) -> int | None:
        """None when the lease is ours now; else when the other's ends."""
        now = int(self._clock())
        until = now + self.lasts
        row = self._database.read(
            lambda connection: connection.execute(
                select(_table).where(_table.c.name == name)
            ).one_or_none()
        )
        if row is None:
            return None if self._insert(name, holder, until) else now
        if row.expires_at <= now and self._take_over(row.name, row.holder, holder, until):
            return None
        return int(row.expires_at)

    def _renew(self, name: str, holder: str, what: Sequence[str]) -> None:
        if not self._take_over(name, holder, holder, int(self._clock()) + self.lasts):
            # It ended while its holder was slow, and another has it.
            raise Locked(what[0], retry_after=self.lasts)

    # Each is a transaction of one statement: with two, gap locks could make two workers on MySQL wait for each other.

    def _insert(self, name: str, holder: str, until: int) -> bool:
        statement = insert_ignore(_table, self._database.dialect)
        values = {"name": name, "holder": holder, "expires_at": until}
        return (
            self._database.run_in_transaction(lambda work: work.execute_rowcount(statement, values))
            == 1
        )

    def _take_over(self, name: str, before: str, holder: str, until: int) -> bool:
        statement = (
            update(_table)
            .where(_table.c.name == name, _table.c.holder == before)
            .values(holder=holder, expires_at=until)
        )
        return self._database.run_in_transaction(lambda work: work.execute_rowcount(statement)) == 1

    def _give_back(self, name: str, holder: str) -> None:
        statement = delete(_table).where(_table.c.name == name, _table.c.holder == holder)
        with suppress(Unavailable):  # it ends by itself
            self._database.run_in_transaction(lambda work: work.execute_rowcount(statement))


def may_still_happen(error: Exception) -> bool:
    """Whether Activepieces may have done what it was asked, or go on with it, although the call failed."""
    if isinstance(error, ConnectionFailed | CallTimedOut):
        return error.outcome_unknown
    # Said by a proxy that did not wait for Activepieces.
    return isinstance(error, ApiError) and error.status in (502, 504)


def _name_of(*what: str) -> str:
    return sha256("\0".join(what).encode()).hexdigest()
