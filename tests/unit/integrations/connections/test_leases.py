"""Leases: one holder at a time; a lease of a dead worker expires."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest
from sqlalchemy import create_engine, delete

from flask_activepieces.api_client.errors import (
    ApiError,
    CallTimedOut,
    ConnectionFailed,
    ConnectionValueRejected,
    ServerError,
    UnexpectedResponse,
)
from flask_activepieces.errors import Locked
from flask_activepieces.integrations.connections.leases import MAX_SERVER_SECONDS, MAX_WAIT, Leases
from flask_activepieces.storage import tables
from flask_activepieces.storage.database import Database
from tests.support.clock import StoppedClock

#: The timeout of calls, in these tests.
TIMEOUT = 30


@pytest.fixture(scope="module")
def shared_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('leases') / 'leases.sqlite'}")
    database = Database(engine)
    tables.metadata.create_all(engine)
    yield database
    engine.dispose()


@pytest.fixture
def database(shared_database: Database) -> Iterator[Database]:
    """A database without leases."""
    yield shared_database
    shared_database.run_in_transaction(lambda transaction: transaction.execute(delete(tables.leases)))


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def leases(database: Database, clock: StoppedClock, slept: list[float]) -> Leases:
    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    return Leases(database, clock=clock, timeout=TIMEOUT, sleep=sleep)


def assert_free(leases: Leases, slept: list[float]) -> None:
    with leases.acquire("a connection"):
        assert slept == []


def assert_taken(leases: Leases) -> Locked:
    with pytest.raises(Locked) as caught, leases.acquire("a connection"):
        raise AssertionError("two at once")
    return caught.value


def test_a_lease_is_released_after_the_work(leases: Leases, slept: list[float]) -> None:
    with leases.acquire("a connection"):
        pass

    assert_free(leases, slept)


def test_a_second_request_waits_and_gives_up(leases: Leases, slept: list[float]) -> None:
    with leases.acquire("a connection"):
        error = assert_taken(leases)

    assert sum(slept) >= MAX_WAIT
    assert max(slept) < 1
    assert 0 < error.retry_after <= leases.duration


def test_another_connection_does_not_wait(leases: Leases, slept: list[float]) -> None:
    with leases.acquire("a connection"), leases.acquire("another connection"):
        assert slept == []


def test_keys_with_different_parts_do_not_collide(leases: Leases, slept: list[float]) -> None:
    with leases.acquire("a", "b"), leases.acquire("ab"):
        assert slept == []


ANSWERED = [
    ConnectionValueRejected("connections.upsert", status=400),
    ServerError("connections.upsert", status=500),
    ConnectionFailed("connections.upsert", detail="refused"),
    UnexpectedResponse("connections.upsert", detail="HTML", outcome_unknown=True),
    ValueError("a mistake of ours"),
]


@pytest.mark.parametrize("error", ANSWERED, ids=lambda error: type(error).__name__)
def test_after_a_response_the_next_request_may_try_immediately(
    error: Exception, leases: Leases, slept: list[float]
) -> None:
    with pytest.raises(type(error)), leases.acquire("a connection") as lease, leases.uncertain_call(lease):
        raise error

    assert_free(leases, slept)


UNANSWERED = [
    CallTimedOut("connections.upsert", seconds=30),
    ConnectionFailed("connections.upsert", detail="reset", outcome_unknown=True),
    ServerError("connections.upsert", status=504),
    ServerError("connections.upsert", status=502),
]


@pytest.mark.parametrize("error", UNANSWERED, ids=lambda error: f"{type(error).__name__}")
def test_no_one_else_tries_while_activepieces_may_still_be_working(
    error: ApiError, leases: Leases, clock: StoppedClock, slept: list[float]
) -> None:
    with pytest.raises(ApiError), leases.acquire("a connection") as lease, leases.uncertain_call(lease):
        raise error

    assert_taken(leases)
    clock.advance(leases.duration)
    slept.clear()
    assert_free(leases, slept)


@pytest.mark.parametrize("error", UNANSWERED, ids=lambda error: f"{type(error).__name__}")
def test_a_failure_before_the_call_blocks_no_one(error: ApiError, leases: Leases, slept: list[float]) -> None:
    """Only a lookup was sent, so Activepieces is not working on anything."""
    with pytest.raises(ApiError), leases.acquire("a connection"):
        raise error

    assert_free(leases, slept)


def test_a_late_call_has_the_full_duration(leases: Leases, clock: StoppedClock) -> None:
    with pytest.raises(CallTimedOut), leases.acquire("a connection") as lease:
        clock.advance(leases.duration - 10)
        with leases.uncertain_call(lease):
            clock.advance(TIMEOUT)
            raise CallTimedOut("connections.upsert", seconds=TIMEOUT)

    assert assert_taken(leases).retry_after >= MAX_SERVER_SECONDS - MAX_WAIT


def test_a_holder_with_an_expired_lease_makes_no_call(leases: Leases, clock: StoppedClock) -> None:
    with pytest.raises(Locked), leases.acquire("a connection") as lease:
        clock.advance(leases.duration)
        second = leases.acquire("a connection")
        second.__enter__()
        with leases.uncertain_call(lease):
            raise AssertionError("two at once")

    assert_taken(leases)


def test_a_stopped_worker_keeps_its_lease(leases: Leases) -> None:
    """Activepieces may still be working on its request."""
    with pytest.raises(SystemExit), leases.acquire("a connection") as lease, leases.uncertain_call(lease):
        raise SystemExit

    assert_taken(leases)


def test_a_dead_workers_lease_expires(leases: Leases, clock: StoppedClock, slept: list[float]) -> None:
    died = leases.acquire("a connection")
    died.__enter__()

    clock.advance(leases.duration)

    assert_free(leases, slept)


def test_a_late_holder_does_not_release_anothers_lease(leases: Leases, clock: StoppedClock) -> None:
    with leases.acquire("a connection"):
        clock.advance(leases.duration)
        second = leases.acquire("a connection")
        second.__enter__()

    assert_taken(leases)


def test_a_key_can_be_claimed_once(leases: Leases, clock: StoppedClock) -> None:
    until = int(clock()) + 600

    assert leases.claim_once("an authorization", expires_at=until)
    assert not leases.claim_once("an authorization", expires_at=until)
    assert leases.claim_once("another authorization", expires_at=until)


def test_only_one_of_many_threads_holds_the_lease_at_a_time(database: Database, clock: StoppedClock) -> None:
    leases, inside, most = Leases(database, clock=clock, timeout=TIMEOUT), 0, 0
    counting = Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        with leases.acquire("a connection"):
            with counting:
                inside += 1
                most = max(most, inside)
            with counting:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))

    assert most == 1
