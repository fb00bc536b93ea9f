"""The cached revocations: their age when clocks change, and threads that wait while the database hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import create_engine

from flask_activepieces.clock import CLOCK_SKEW
from flask_activepieces.errors import Unavailable
from flask_activepieces.oauth import revocations
from flask_activepieces.oauth.revocations import RevocationCheck
from flask_activepieces.storage import tables
from flask_activepieces.storage.database import Database
from flask_activepieces.storage.maintenance import prune
from tests.support.access_tokens import EXPIRES_AT, TOKEN
from tests.support.clock import START, StoppedClock

NOW = START
THREADS = 6


class HangingDatabase:
    """Blocks until it is released, then returns no rows or raises an error."""

    def __init__(self) -> None:
        self.asked = 0
        self.was_asked = threading.Event()
        self.speaks = threading.Event()
        self.error: Exception | None = None

    def read(self, look_up: Callable[[Any], Any]) -> Any:
        self.asked += 1
        self.was_asked.set()
        assert self.speaks.wait(10)
        if self.error is not None:
            raise self.error
        return []


@pytest.fixture
def database() -> HangingDatabase:
    return HangingDatabase()


def check_of(database: HangingDatabase, *, lock_timeout: float = 10) -> RevocationCheck:
    return RevocationCheck(cast(Database, database), max_staleness=30, lock_timeout=lock_timeout)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Database]:
    """A real database with our tables."""
    engine = create_engine(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    tables.metadata.create_all(engine)
    yield Database(engine)
    engine.dispose()


def revoke(database: Database, subject: str, *, now: int, expires_at: int | None = None) -> None:
    database.run_in_transaction(
        lambda transaction: revocations.add(transaction, subject, now=now, expires_at=expires_at)
    )


@pytest.mark.parametrize("step", [-3600, -61, -59, -1, 0])
def test_the_cache_ages_by_a_clock_that_cannot_be_set(stored: Database, step: int) -> None:
    seconds = StoppedClock(0)
    check = RevocationCheck(stored, max_staleness=30, monotonic=seconds)
    check.is_revoked(TOKEN, now=NOW)

    revoke(stored, revocations.family("family"), now=NOW + step)
    seconds.advance(30)

    assert check.is_revoked(TOKEN, now=NOW + step) is True


def test_the_cache_is_stale_after_the_machine_was_suspended(stored: Database) -> None:
    """A monotonic clock may stop while a machine sleeps; the clock of the tokens does not."""
    check = RevocationCheck(stored, max_staleness=30, monotonic=StoppedClock(0))
    check.is_revoked(TOKEN, now=NOW)

    revoke(stored, revocations.family("family"), now=NOW + 60)

    assert check.is_revoked(TOKEN, now=NOW + 600) is True


@pytest.mark.parametrize("step", [-CLOCK_SKEW - 2, -CLOCK_SKEW, -1])
def test_a_revocation_that_had_expired_counts_again_when_the_clock_is_set_back(stored: Database, step: int) -> None:
    check = RevocationCheck(stored, max_staleness=30, monotonic=StoppedClock(0))
    revoke(stored, revocations.token("jti"), now=NOW, expires_at=EXPIRES_AT)
    just_over = EXPIRES_AT + CLOCK_SKEW + 1
    check.is_revoked(TOKEN, now=just_over)

    assert check.is_revoked(TOKEN, now=just_over + step) is True


def test_a_machine_whose_clock_is_ahead_prunes_no_needed_row(stored: Database) -> None:
    """The token has the maximum lifetime, and its issuer's clock is a minute ahead, too."""
    expires_at = NOW + CLOCK_SKEW + 86_400
    token = replace(TOKEN, expires_at=expires_at)
    revoke(stored, revocations.family("family"), now=NOW)
    for table, _ in prune(stored, now=expires_at - 1 + CLOCK_SKEW, audit_days=400):
        assert table != "activepieces_revocations"

    for staleness in (0, 30):
        check = RevocationCheck(stored, max_staleness=staleness)
        assert check.is_revoked(token, now=expires_at - 1) is True


def ask_from_many_threads(
    pool: ThreadPoolExecutor, check: RevocationCheck, database: HangingDatabase
) -> list[Future[bool]]:
    asked = [pool.submit(check.is_revoked, TOKEN, now=NOW) for _ in range(THREADS)]
    assert database.was_asked.wait(10)
    return asked


def test_one_query_serves_all_waiting_threads(database: HangingDatabase) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = ask_from_many_threads(pool, check_of(database), database)
        database.speaks.set()

        assert [answer.result() for answer in answers] == [False] * THREADS

    assert database.asked == 1


def test_a_thread_waits_only_for_the_lock_timeout(database: HangingDatabase) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = ask_from_many_threads(pool, check_of(database, lock_timeout=0.05), database)
        time.sleep(0.2)
        gave_up = [answer for answer in answers if answer.done()]
        database.speaks.set()

    assert len(gave_up) == THREADS - 1
    assert all(isinstance(answer.exception(), Unavailable) for answer in gave_up)
    assert database.asked == 1


def test_a_failure_reaches_all_waiting_threads(database: HangingDatabase) -> None:
    """Otherwise each of them would query in turn, and wait as long as the first."""
    database.error = Unavailable("database")
    with ThreadPoolExecutor(THREADS) as pool:
        answers = ask_from_many_threads(pool, check_of(database), database)
        time.sleep(0.1)  # all others wait by now
        database.speaks.set()

        assert all(isinstance(answer.exception(), Unavailable) for answer in answers)

    assert database.asked == 1


def test_after_a_failure_the_next_request_queries_again(database: HangingDatabase) -> None:
    check = check_of(database)
    database.speaks.set()
    database.error = Unavailable("database")
    with pytest.raises(Unavailable):
        check.is_revoked(TOKEN, now=NOW)

    database.error = None

    assert check.is_revoked(TOKEN, now=NOW) is False
    assert database.asked == 2
