"""SQLite has one writer at a time: a blocked request waits for a while, then returns 503."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Timer

import pytest

from flask_activepieces.storage.dialects import BUSY_TIMEOUT
from tests.support.prepared_requests import call, redemption, refresh
from tests.support.race_environment import RaceEnvironment, count_outcomes, race_environment
from tests.support.storage import engine_of

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RaceEnvironment]:
    with race_environment("sqlite", tmp_path_factory.mktemp("locked"), workers=3) as environment:
        yield environment


def test_a_lock_released_in_time_only_delays_the_request(environment: RaceEnvironment) -> None:
    program = environment.program()
    pair = environment.connect(program, environment.person())

    with locked(environment) as lock:
        Timer(1, lock.rollback).start()
        answer = environment.ask(refresh(program, pair["refresh_token"]))

    environment.assert_alive(program, answer.json)


def test_a_lock_that_is_not_released_is_reported_in_time_and_spends_nothing(environment: RaceEnvironment) -> None:
    """The 503 comes within 30 seconds, after which gunicorn kills the worker and Activepieces times out."""
    program, bob = environment.program(), environment.person()
    pair = environment.connect(program, bob)
    prepared = [redemption(program, environment.code(program, bob)), refresh(program, pair["refresh_token"])]

    with locked(environment):
        started = time.monotonic()
        answers = environment.send_together([*prepared, call(pair["access_token"])])
        seconds = time.monotonic() - started

    assert count_outcomes(answers) == {(503, "temporarily_unavailable"): 2, (200, None): 1}
    assert seconds < 2 * BUSY_TIMEOUT
    assert count_outcomes(environment.send_together(prepared)) == {(200, None): 2}


@contextmanager
def locked(environment: RaceEnvironment) -> Iterator[sqlite3.Connection]:
    """Another program holds the write lock."""
    path = Path(str(engine_of(environment.app).url.database))
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        yield lock
