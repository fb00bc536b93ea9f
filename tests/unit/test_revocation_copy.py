"""The copy of the revocations while the database hangs: one thread asks, the others wait, and not for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast

import pytest

from flask_activepieces.database import Database
from flask_activepieces.errors import Unavailable
from flask_activepieces.oauth.access_tokens import AccessToken
from flask_activepieces.oauth.revocations import RevocationCheck

NOW = 1_800_000_000
TOKEN = AccessToken(
    jti="jti",
    issuer="https://app.example.com",
    user_id="bob",
    tenant_id="acme",
    organization_id=None,
    client_id="client",
    grant_id="grant",
    family_id="family",
    scope="tasks:read",
    issued_at=NOW,
    expires_at=NOW + 3600,
)
THREADS = 6


class HangingDatabase:
    """Says nothing until it is told to, and then what it was told."""

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


def check_of(database: HangingDatabase, *, patience: float = 10) -> RevocationCheck:
    return RevocationCheck(cast(Database, database), max_staleness=30, patience=patience)


def ask_from_many_threads(
    pool: ThreadPoolExecutor, check: RevocationCheck, database: HangingDatabase
) -> list[Future[bool]]:
    asked = [pool.submit(check.is_revoked, TOKEN, now=NOW) for _ in range(THREADS)]
    assert database.was_asked.wait(10)
    return asked


def test_all_threads_hear_what_one_has_asked(database: HangingDatabase) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = ask_from_many_threads(pool, check_of(database), database)
        database.speaks.set()

        assert [answer.result() for answer in answers] == [False] * THREADS

    assert database.asked == 1


def test_nobody_waits_longer_than_is_bearable(database: HangingDatabase) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = ask_from_many_threads(pool, check_of(database, patience=0.05), database)
        time.sleep(0.2)
        gave_up = [answer for answer in answers if answer.done()]
        database.speaks.set()

    assert len(gave_up) == THREADS - 1
    assert all(isinstance(answer.exception(), Unavailable) for answer in gave_up)
    assert database.asked == 1


def test_a_failure_is_heard_by_all_who_wait_for_it(database: HangingDatabase) -> None:
    """Else each of them would ask in turn, and wait as long as the first."""
    database.error = Unavailable("database")
    with ThreadPoolExecutor(THREADS) as pool:
        answers = ask_from_many_threads(pool, check_of(database), database)
        time.sleep(0.1)  # all others wait by now
        database.speaks.set()

        assert all(isinstance(answer.exception(), Unavailable) for answer in answers)

    assert database.asked == 1


def test_after_a_failure_the_next_request_asks_again(database: HangingDatabase) -> None:
    check = check_of(database)
    database.speaks.set()
    database.error = Unavailable("database")
    with pytest.raises(Unavailable):
        check.is_revoked(TOKEN, now=NOW)

    database.error = None

    assert check.is_revoked(TOKEN, now=NOW) is False
    assert database.asked == 2
