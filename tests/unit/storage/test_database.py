"""`Database`: which errors are retried, and which errors the caller gets."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.exc import OperationalError as EngineError
from sqlalchemy.pool import QueuePool

from flask_activepieces.errors import SetupError, Unavailable
from flask_activepieces.storage.database import MAX_ATTEMPTS, ConcurrentUpdate, Database, Transaction

ADD = text("INSERT INTO things (name) VALUES (:name)")
COUNT = text("SELECT count(*) FROM things")


@pytest.fixture
def waits() -> list[float]:
    """The seconds for which the database would have waited."""
    return []


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (name TEXT PRIMARY KEY)"))
    engine.dispose()
    yield engine
    engine.dispose()


@pytest.fixture
def database(engine: Engine, waits: list[float]) -> Database:
    return Database(engine, sleep=waits.append)


def count(database: Database) -> int:
    return database.read(lambda connection: int(connection.scalar(COUNT) or 0))


class Original(Exception):
    """An error of a database driver."""

    def __init__(self, *args: Any, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


def database_error(original: BaseException, *, stale: bool = False) -> EngineError:
    return EngineError("SELECT 1", {}, original, connection_invalidated=stale)


def failing(times: int, error: Exception) -> Callable[[Transaction], str]:
    """A function that adds a thing, and fails the given number of times."""
    left = [times]

    def work(transaction: Transaction) -> str:
        transaction.execute(ADD, {"name": "one"})
        if left[0]:
            left[0] -= 1
            raise error
        return "done"

    return work


# Transactions


def test_a_transaction_is_committed_and_returns_the_result(database: Database) -> None:
    assert database.run_in_transaction(failing(0, ConcurrentUpdate())) == "done"
    assert count(database) == 1


def test_any_other_error_rolls_back_and_is_raised(database: Database) -> None:
    with pytest.raises(KeyError):
        database.run_in_transaction(failing(1, KeyError("x")))

    assert count(database) == 0


def test_a_write_returns_the_number_of_matched_rows(database: Database) -> None:
    def work(transaction: Transaction) -> tuple[int, int]:
        transaction.execute(ADD, {"name": "one"})
        everything = transaction.execute_rowcount(text("DELETE FROM things"))
        return everything, transaction.execute_rowcount(text("DELETE FROM things"))

    assert database.run_in_transaction(work) == (1, 0)


# Single statements


def test_a_single_write_is_committed_and_counted(database: Database) -> None:
    assert database.write(ADD, {"name": "one"}) == 1
    assert count(database) == 1
    assert database.write(text("DELETE FROM things WHERE name = :name"), {"name": "two"}) == 0


def test_the_error_of_a_single_write_shows_no_values(database: Database) -> None:
    """Values may be secret, and errors are logged."""
    database.write(ADD, {"name": "a secret value"})

    with pytest.raises(IntegrityError) as caught:
        database.write(ADD, {"name": "a secret value"})

    assert "a secret value" not in str(caught.value)


def test_the_error_of_a_transaction_shows_no_values(database: Database) -> None:
    database.write(ADD, {"name": "a secret value"})

    with pytest.raises(IntegrityError) as caught:
        database.run_in_transaction(lambda t: t.execute(ADD, {"name": "a secret value"}))

    assert "a secret value" not in str(caught.value)


# Retries


COLLISIONS = {
    "a lost race": ConcurrentUpdate(),
    "PostgreSQL: serialization failure": database_error(Original("x", sqlstate="40001")),
    "PostgreSQL: deadlock": database_error(Original("x", sqlstate="40P01")),
    "MySQL: lock wait timeout": database_error(Original(1205, "Lock wait timeout exceeded")),
    "MySQL: deadlock": database_error(Original(1213, "Deadlock found")),
    "SQLite: locked": database_error(sqlite3.OperationalError("database is locked")),
    "a stale connection": database_error(Original("gone away"), stale=True),
}


@pytest.mark.parametrize("name", COLLISIONS)
def test_a_collision_is_retried(database: Database, name: str) -> None:
    """Failed attempts are rolled back, so the last one can insert the same key."""
    assert database.run_in_transaction(failing(MAX_ATTEMPTS - 1, COLLISIONS[name])) == "done"
    assert count(database) == 1


@pytest.mark.parametrize("name", COLLISIONS)
def test_after_the_last_attempt_the_error_has_a_retry_after(database: Database, name: str) -> None:
    with pytest.raises(Unavailable) as caught:
        database.run_in_transaction(failing(MAX_ATTEMPTS, COLLISIONS[name]))

    assert caught.value.retry_after in (1, 5)
    assert count(database) == 0


def test_waits_grow_and_stay_short(database: Database, waits: list[float]) -> None:
    """All attempts together must not hold a worker for long."""
    with pytest.raises(Unavailable):
        database.run_in_transaction(failing(MAX_ATTEMPTS, ConcurrentUpdate()))

    assert len(waits) == MAX_ATTEMPTS - 1
    assert all(0 < wait < 0.2 for wait in waits)
    assert sum(waits) < 1.5


def test_two_writers_on_sqlite_wait_for_each_other(engine: Engine, database: Database) -> None:
    inside, done = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        transaction.execute(ADD, {"name": "slow"})
        inside.set()
        done.wait(0.2)

    other = threading.Thread(target=database.run_in_transaction, args=(slow,))
    other.start()
    inside.wait()
    database.run_in_transaction(lambda transaction: transaction.execute(ADD, {"name": "quick"}))
    done.set()
    other.join()

    assert count(database) == 2


def test_readers_on_sqlite_do_not_wait_for_a_writer(database: Database) -> None:
    def count_meanwhile(transaction: Transaction) -> int:
        transaction.execute(ADD, {"name": "unseen"})
        return count(database)

    assert database.run_in_transaction(count_meanwhile) == 0


# Errors that are not retried


UNREACHABLE = {
    "refused": database_error(Original("connection refused")),
    "MySQL: gone away": database_error(Original(2006, "MySQL server has gone away")),
    "SQLite: cannot open": database_error(sqlite3.OperationalError("unable to open database file")),
    "SQLite: disk full": database_error(sqlite3.OperationalError("database or disk is full")),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_an_unreachable_database_is_not_retried(database: Database, name: str) -> None:
    with pytest.raises(Unavailable, match="The database is currently unavailable"):
        database.run_in_transaction(failing(1, UNREACHABLE[name]))

    assert count(database) == 0


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_query_of_an_unreachable_database_is_unavailable(database: Database, name: str) -> None:
    def query(connection: Any) -> None:
        raise UNREACHABLE[name]

    with pytest.raises(Unavailable):
        database.read(query)


def test_an_exhausted_pool_is_unavailable(tmp_path: Path) -> None:
    engine = create_engine(
        f"sqlite:///{tmp_path / 'x.sqlite'}", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    database = Database(engine)

    with engine.connect(), pytest.raises(Unavailable):
        database.read(lambda connection: None)
    with engine.connect(), pytest.raises(Unavailable):
        database.run_in_transaction(lambda transaction: None)

    engine.dispose()


@pytest.mark.parametrize(
    "original",
    [
        sqlite3.OperationalError("no such table: activepieces_grants"),
        Original('relation "activepieces_grants" does not exist', sqlstate="42P01"),
        Original(1146, "Table 'app.activepieces_grants' doesn't exist"),
    ],
    ids=["SQLite", "PostgreSQL", "MySQL"],
)
def test_the_error_for_missing_tables_names_the_remedy(database: Database, original: Exception) -> None:
    error = ProgrammingError("SELECT 1", {}, original)

    def query(connection: Any) -> None:
        raise error

    for attempt in (lambda: database.read(query), lambda: database.run_in_transaction(failing(1, error))):
        with pytest.raises(SetupError, match=r"run your migrations, or db\.create_all\(\)"):
            attempt()


def test_a_missing_column_of_the_host_is_not_reported_as_ours(database: Database) -> None:
    with pytest.raises(EngineError, match="no such column: colour"):
        database.read(lambda connection: connection.execute(text("SELECT colour FROM (SELECT 1)")))


def test_a_missing_table_of_the_host_is_not_reported_as_ours(database: Database) -> None:
    """The host's developer must fix it, and would search in the wrong place after any other error."""
    with pytest.raises(EngineError, match="no such table: users"):
        database.read(lambda connection: connection.execute(text("SELECT * FROM users")))


def test_an_integrity_error_is_raised_unchanged(database: Database) -> None:
    database.run_in_transaction(failing(0, ConcurrentUpdate()))

    with pytest.raises(IntegrityError):
        database.run_in_transaction(failing(0, ConcurrentUpdate()))


# Stale connections: the pool returns connections that the server has closed


def test_a_query_on_a_stale_connection_is_retried(database: Database) -> None:
    errors = [database_error(Original("gone"), stale=True)]

    def query(connection: Any) -> str:
        if errors:
            raise errors.pop()
        return "found"

    assert database.read(query) == "found"


def test_a_query_that_fails_twice_on_stale_connections_is_unavailable(database: Database) -> None:
    def query(connection: Any) -> None:
        raise database_error(Original("gone"), stale=True)

    with pytest.raises(Unavailable):
        database.read(query)


# Callbacks after the commit


def test_a_callback_sees_the_committed_rows(database: Database) -> None:
    seen: list[int] = []

    def work(transaction: Transaction) -> None:
        transaction.after_commit.append(lambda: seen.append(count(database)))
        transaction.execute(ADD, {"name": "one"})

    database.run_in_transaction(work)

    assert seen == [1]


def test_no_callback_runs_if_the_transaction_fails(database: Database) -> None:
    seen: list[str] = []

    def work(transaction: Transaction) -> None:
        transaction.after_commit.append(lambda: seen.append("sent"))
        raise KeyError

    with pytest.raises(KeyError):
        database.run_in_transaction(work)

    assert seen == []


def test_a_callback_runs_once_after_several_attempts(database: Database) -> None:
    seen: list[str] = []
    attempts = [ConcurrentUpdate(), ConcurrentUpdate()]

    def work(transaction: Transaction) -> None:
        transaction.after_commit.append(lambda: seen.append("sent"))
        if attempts:
            raise attempts.pop()

    database.run_in_transaction(work)

    assert seen == ["sent"]
