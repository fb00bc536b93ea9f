"""The host's engine for our tables, and the three ways in which we use it.

- `Database.read`: queries that need no transaction.
- `Database.write`: one INSERT, UPDATE or DELETE, which is atomic without a transaction around it.
- `Database.run_in_transaction`: several statements, all or nothing.

The last two run again when the database reports that two writers got in each other's way, or when the pool handed
out a dead connection; so what they run makes its random values outside. Each error that means "the database is
unreachable" leaves here as `Unavailable`, which the edges turn into 503. Other errors are not translated.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, ExceptionContext, Executable, event
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    StatementError,
    TimeoutError,
)

from ..errors import SetupError, Unavailable
from .tables import TABLE_PREFIX

T = TypeVar("T")

Values = Mapping[str, Any]

#: How often a write that collides is tried, and for how many seconds.
MAX_ATTEMPTS = 15
RETRY_SECONDS = 5.0
#: PostgreSQL: a standby, or a server that is being switched over, takes no writes for now.
_READ_ONLY = "25006"
#: PostgreSQL: an administrator ended the connection, or another one crashed and took all with it.
_ENDED = {"57P01", "57P02"}
#: Seconds that a writer on SQLite waits for another.
SQLITE_BUSY_TIMEOUT = 10
#: PostgreSQL: serialization failure, deadlock. MySQL and MariaDB: a row that changed since it was read (snapshot
#: isolation, the default from MariaDB 11.6 on), lock wait timeout, deadlock.
_COLLISIONS: set[object] = {"40001", "40P01", 1020, 1205, 1213}
#: PostgreSQL; MySQL and MariaDB.
_NO_TABLE: set[object] = {"42P01", 1146}
_NO_COLUMN: set[object] = {"42703", 1054}
_MIGRATE = (
    "The tables of flask-activepieces are missing or older than this version: run your migrations"
)


class ConcurrentUpdate(Exception):
    """Raised inside a transaction whose conditional UPDATE found a newer row: the transaction runs again."""


@dataclass
class Transaction:
    """One running transaction, and the callbacks to run once it is committed."""

    conn: Connection
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql``, ``mysql`` or ``mariadb``."""
        return self.conn.dialect.name

    def execute(self, statement: Executable, values: Values | None = None) -> Any:
        """Run one statement."""
        return self.conn.execute(statement, values)

    def execute_rowcount(self, statement: Executable, values: Values | None = None) -> int:
        """Run one INSERT, UPDATE or DELETE; returns how many rows matched."""
        return int(self.conn.execute(statement, values).rowcount)


class Database:
    """One app's tables, on the engine of the host's bind."""

    def __init__(self, engine: Engine, *, schema: str | None = None) -> None:
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _enable_wal)
        if engine.dialect.name == "postgresql":
            event.listen(engine, "handle_error", _mark_terminated_as_disconnected)
        if schema is not None:
            engine = engine.execution_options(schema_translate_map={None: schema})
        self._engine = engine
        self._single = _for_single_statements(engine)

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql``, ``mysql`` or ``mariadb``."""
        return self._engine.dialect.name

    def read(self, query: Callable[[Connection], T]) -> T:
        """Run queries; run them again if the pool handed out a dead connection."""
        try:
            with self._reading() as conn:
                return query(conn)
        except Unavailable as error:
            if not _was_disconnected(error.__cause__):
                raise
        with self._reading() as conn:
            return query(conn)

    def write(self, statement: Executable, values: Values | None = None) -> int:
        """Run one INSERT, UPDATE or DELETE and commit it; returns how many rows matched."""

        def run() -> int:
            with self._single.begin() as conn:
                return int(conn.execute(statement, values).rowcount)

        return _retried(run)

    def run_in_transaction(self, function: Callable[[Transaction], T]) -> T:
        """The result of ``function``, committed; its callbacks run after the commit."""

        def run() -> tuple[Transaction, T]:
            with self._engine.begin() as conn:
                transaction = Transaction(conn)
                return transaction, function(transaction)

        transaction, result = _retried(run)
        for callback in transaction.after_commit:
            callback()
        return result

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._single.connect() as conn:
                yield conn
        except (DBAPIError, TimeoutError) as error:
            raise translate_error(error) from error


def _for_single_statements(engine: Engine) -> Engine:
    # PostgreSQL needs a round trip each for BEGIN and ROLLBACK or COMMIT, which a single statement can do without.
    # SQLite has no round trips, and MySQL needs one more to switch the mode.
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    return engine


def _retried(run: Callable[[], T]) -> T:
    give_up_at = time.monotonic() + RETRY_SECONDS
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return run()
        except (ConcurrentUpdate, DBAPIError, TimeoutError) as error:
            if not _is_retryable(error):
                raise translate_error(error) from error
            if attempt == MAX_ATTEMPTS or time.monotonic() > give_up_at:
                raise Unavailable("database", retry_after=1) from error
        # Longer each time, and with jitter, so that those who collided do not collide again.
        time.sleep(random.uniform(0.2, 1.0) * min(0.01 * attempt, 0.2))  # noqa: S311  # not a secret
    raise AssertionError("the loop returns or raises")


def _is_retryable(error: Exception) -> bool:
    return isinstance(error, ConcurrentUpdate) or _is_collision(error) or _was_disconnected(error)


def _enable_wal(connection: Any, _: Any) -> None:
    # Write-ahead logging: readers do not block the writer, and a second writer waits instead of failing.
    (waits,) = connection.execute("PRAGMA busy_timeout").fetchone()
    if waits < SQLITE_BUSY_TIMEOUT * 1000:
        connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")


def _mark_terminated_as_disconnected(context: ExceptionContext) -> None:
    # The server says goodbye before it hangs up, and until then the driver takes the connection for a good one.
    if _sqlstate(context.original_exception) in _ENDED:
        context.is_disconnect = True


def translate_error(error: Exception) -> Exception:
    """What a database error means: `Unavailable`, `SetupError`, or itself when it is neither."""
    if isinstance(error, StatementError):
        error.hide_parameters = True  # the values may be secrets, and an error ends up in a log
    original, statement = getattr(error, "orig", None), str(getattr(error, "statement", ""))
    if _is_missing(original) and TABLE_PREFIX in str(original):
        return SetupError(f"{_MIGRATE}, or db.create_all().")
    # A database need not say whose column it misses; the statement does.
    if _is_missing_column(original) and TABLE_PREFIX in f"{original} {statement}":
        return SetupError(f"{_MIGRATE}.")
    if _is_missing(original) or _is_missing_column(original):
        return error  # a table or a column of the host's own
    takes_no_writes = _sqlstate(original) == _READ_ONLY
    is_away = isinstance(error, OperationalError | InterfaceError | TimeoutError)
    if is_away or takes_no_writes or _was_disconnected(error):
        return Unavailable("database")
    return error


def _is_missing(original: object) -> bool:
    return bool(_codes(original) & _NO_TABLE) or "no such table" in str(original)


def _is_missing_column(original: object) -> bool:
    said = str(original)
    in_words = "no such column" in said or "has no column named" in said
    return bool(_codes(original) & _NO_COLUMN) or in_words


def _is_collision(error: Exception) -> bool:
    original = getattr(error, "orig", None)
    return bool(_codes(original) & _COLLISIONS) or "database is locked" in str(original)


def _codes(original: object) -> set[object]:
    # SQLite has none in its Python exceptions before 3.11: its words have not changed since 2004.
    arguments: tuple[object, ...] = getattr(original, "args", ())
    return {_sqlstate(original), *arguments[:1]} - {None}


def _sqlstate(error: object) -> str | None:
    # As psycopg calls it, and as psycopg2 does.
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def _was_disconnected(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
