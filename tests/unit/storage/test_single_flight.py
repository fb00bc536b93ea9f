"""Work that one worker does for all, and claims that succeed once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from flask_activepieces.storage import tables
from flask_activepieces.storage.database import Database
from flask_activepieces.storage.single_flight import SingleFlight, claim_once
from tests.support.clock import START, StoppedClock

SECONDS = 15


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = create_engine(f"sqlite:///{tmp_path / 'flight.sqlite'}")
    tables.metadata.create_all(engine)
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def naps() -> list[float]:
    """How long the waiting workers slept."""
    return []


@pytest.fixture
def flight(database: Database, clock: StoppedClock, naps: list[float]) -> SingleFlight:
    return SingleFlight(database, "work", clock=clock, seconds=SECONDS, sleep=naps.append)


def rows(database: Database) -> int:
    return len(database.read(lambda conn: conn.execute(select(tables.leases)).all()))


def test_one_of_two_workers_does_the_work(database: Database, flight: SingleFlight) -> None:
    with flight.attempt("a") as first, flight.attempt("a") as second, flight.attempt("b") as other:
        assert (first, second, other) == (True, False, True)
    with flight.attempt("a") as later:
        assert later

    assert rows(database) == 0


def test_a_worker_that_fails_leaves_the_work_to_the_next(database: Database, flight: SingleFlight) -> None:
    with pytest.raises(RuntimeError), flight.attempt("a"):
        raise RuntimeError

    with flight.attempt("a") as is_ours:
        assert is_ours


def test_the_work_of_a_dead_worker_is_done_by_another(
    database: Database, flight: SingleFlight, clock: StoppedClock
) -> None:
    with flight.attempt("a"):
        clock.advance(SECONDS - 1)
        with flight.attempt("a") as too_early:
            assert not too_early
        clock.advance(1)
        with flight.attempt("a") as in_time, flight.attempt("a") as late:
            assert (in_time, late) == (True, False)


def test_a_worker_that_was_replaced_does_not_end_the_work_of_the_other(
    flight: SingleFlight, clock: StoppedClock
) -> None:
    slow = flight.attempt("a")
    slow.__enter__()
    clock.advance(SECONDS)

    with flight.attempt("a") as is_ours:
        slow.__exit__(None, None, None)
        assert is_ours
        with flight.attempt("a") as third:
            assert not third


def test_waiting_ends_with_the_work(database: Database, clock: StoppedClock) -> None:
    work = SingleFlight(database, "work", clock=clock, seconds=SECONDS).attempt("a")
    work.__enter__()

    def finish(_: float) -> None:
        work.__exit__(None, None, None)

    SingleFlight(database, "work", clock=clock, seconds=SECONDS, sleep=finish).wait("a")

    assert rows(database) == 0


def test_nothing_is_waited_for_without_work(flight: SingleFlight, naps: list[float]) -> None:
    flight.wait("a")

    assert naps == []


def test_waiting_for_a_dead_worker_ends(flight: SingleFlight, clock: StoppedClock, naps: list[float]) -> None:
    with flight.attempt("a"):
        clock.advance(SECONDS)
        flight.wait("a")

    assert naps == []


def test_waiting_ends_although_the_work_does_not(flight: SingleFlight, naps: list[float]) -> None:
    with flight.attempt("a"):
        flight.wait("a")

    assert SECONDS <= sum(naps) < SECONDS + 1


def test_a_claim_succeeds_once_for_each_key(database: Database) -> None:
    def claim(*key: str) -> bool:
        return claim_once(database, *key, expires_at=START)

    assert [claim("jti", "a", "1"), claim("jti", "a", "1"), claim("jti", "a", "2")] == [True, False, True]
    # The parts of a key do not run into one another.
    assert [claim("jti", "a1", ""), claim("jti", "a", "", "1")] == [True, True]
