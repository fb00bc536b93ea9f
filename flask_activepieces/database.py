"""The host's engine for our tables, and the only two ways we use it.

- `Database.read`, `Database.rows`: a look-up that needs no transaction (on PostgreSQL no BEGIN and no ROLLBACK).
- `Database.transact`: runs a function in one transaction, all or nothing, and runs it again when the database
  says that two transactions got in each other's way. The function must therefore make its random values
  outside, or not mind making them twice.

Whatever means "the database is away" leaves here as `Unavailable`, which the edges turn into 503; nothing
else is translated.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, ExceptionContext, Executable, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError

from .errors import SetupError, Unavailable
from .models.base import TABLE_PREFIX
from .prepared import Prepared, Values
from .standing_alone import Begin, standing_alone

log = logging.getLogger(__name__)

T = TypeVar("T")

#: A transaction that collides is tried so often, and begun anew for so many seconds.
ATTEMPTS = 15
PATIENCE = 5.0
#: PostgreSQL: a standby, or a server that is being switched over, takes no writes for now.
_READ_ONLY = "25006"
#: PostgreSQL: an administrator ended the connection, or another one crashed and took all with it.
_ENDED = {"57P01", "57P02"}
#: How many seconds a writer on SQLite waits for another.
SQLITE_WAIT = 10
#: PostgreSQL: serialization failure, deadlock. MySQL and MariaDB: a row that changed since it was read (snapshot
#: isolation, the default from MariaDB 11.6 on), lock wait timeout, deadlock.
_COLLISIONS: set[object] = {"40001", "40P01", 1020, 1205, 1213}
#: PostgreSQL; MySQL and MariaDB.
_NO_TABLE: set[object] = {"42P01", 1146}
_NO_COLUMN: set[object] = {"42703", 1054}
_TO_BE_MIGRATED = (
    "The tables of flask-activepieces are missing or older than this version: run your migrations"
)


class LostRace(Exception):
    """Raised inside a transaction whose conditional UPDATE met a newer row: look again, in a new transaction."""


@dataclass
class Transaction:
    """One running transaction, and what shall happen once it is safely committed.

    On PostgreSQL it begins with the first statement that needs it, so that what is only looked up, or written by
    one statement, costs no BEGIN and no COMMIT.
    """

    _connection: Connection
    _begin: Begin
    prepared: Prepared
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    _is_whole: bool = False

    @property
    def connection(self) -> Connection:
        """The connection; whatever is asked of it is in the transaction."""
        assert not self._is_whole, "this transaction was to be one statement"
        self._begin()
        return self._connection

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql``, ``mysql`` or ``mariadb``."""
        return self._connection.dialect.name

    def execute(self, statement: Executable, values: Values | None = None) -> Any:
        """Run one statement."""
        return self.connection.execute(statement, values)

    def changes(self, statement: Executable, values: Values | None = None) -> int:
        """Run one INSERT, UPDATE or DELETE; the number of rows it met."""
        return int(self.connection.execute(statement, values).rowcount)

    def rows_at_once(self, statement: Executable, values: Values) -> list[Any]:
        """What a SELECT of plain columns finds, by the driver itself: see `prepared`. It begins nothing."""
        return self.prepared.rows(self._connection, statement, values)

    def changes_at_once(self, statement: Executable, values: Values) -> int:
        """Like `changes`, by the driver itself: see `prepared`."""
        return self.prepared.changes(self.connection, statement, values)

    def whole_at_once(self, statement: Executable, values: Values) -> list[Any]:
        """What a statement returns that writes all that this transaction writes: nothing may come after it."""
        self._is_whole = True
        return self.prepared.rows(self._connection, statement, values)


class Database:
    """One app's tables, on the engine of the host's bind."""

    def __init__(self, engine: Engine, *, schema: str | None = None) -> None:
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _let_readers_and_writers_pass)
        if engine.dialect.name == "postgresql":
            event.listen(engine, "handle_error", _see_that_the_server_ended_it)
        if schema is not None:
            engine = engine.execution_options(schema_translate_map={None: schema})
        self._engine = engine
        self._prepared = Prepared(engine, schema=schema)

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql``, ``mysql`` or ``mariadb``."""
        return self._engine.dialect.name

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection for look-ups."""
        try:
            with self._engine.connect() as connection, standing_alone(connection):
                yield connection
        except (DBAPIError, TimeoutError) as error:
            raise translated(error) from error

    def rows(self, statement: Executable, values: Values) -> list[Any]:
        """What a SELECT of plain columns finds, by the driver itself: see `prepared`."""
        return self.read(lambda connection: self._prepared.rows(connection, statement, values))

    def read(self, look_up: Callable[[Connection], T]) -> T:
        """Run one look-up, once more if the pool had handed out a connection that was dead already."""
        try:
            with self._reading() as connection:
                return look_up(connection)
        except Unavailable as error:
            if not _was_stale(error.__cause__):
                raise
        with self._reading() as connection:
            return look_up(connection)

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """The result of ``work``, committed. Collisions and stale connections are tried again."""
        give_up_at = time.monotonic() + PATIENCE
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._engine.begin() as connection, standing_alone(connection) as begin:
                    transaction = Transaction(connection, begin, self._prepared)
                    result = work(transaction)
            except (LostRace, DBAPIError, TimeoutError) as error:
                if not _may_be_tried_again(error):
                    raise translated(error) from error
                if attempt == ATTEMPTS or time.monotonic() > give_up_at:
                    raise Unavailable("database", retry_after=1) from error
            else:
                _run_all(transaction.after_commit)
                return result
            # Longer each time, and never together with the others that lost the same race.
            time.sleep(random.uniform(0.2, 1.0) * min(0.01 * attempt, 0.2))  # noqa: S311  # jitter, not a secret
        raise AssertionError("the loop returns or raises")


def _may_be_tried_again(error: Exception) -> bool:
    return isinstance(error, LostRace) or _is_collision(error) or _was_stale(error)


def _let_readers_and_writers_pass(connection: Any, _: Any) -> None:
    # Write-ahead logging: readers do not block the writer, and a second writer waits instead of failing.
    (waits,) = connection.execute("PRAGMA busy_timeout").fetchone()
    if waits < SQLITE_WAIT * 1000:
        connection.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")


def _see_that_the_server_ended_it(context: ExceptionContext) -> None:
    # The server says goodbye before it hangs up, and until then the driver takes the connection for a good one.
    if _sqlstate(context.original_exception) in _ENDED:
        context.is_disconnect = True


def translated(error: Exception) -> Exception:
    """What a database error means: `Unavailable`, `SetupError`, or itself when it is neither."""
    original, statement = getattr(error, "orig", None), str(getattr(error, "statement", ""))
    if _is_missing(original) and TABLE_PREFIX in str(original):
        return SetupError(f"{_TO_BE_MIGRATED}, or db.create_all().")
    # A database need not say whose column it misses; the statement does.
    if _lacks_column(original) and TABLE_PREFIX in f"{original} {statement}":
        return SetupError(f"{_TO_BE_MIGRATED}.")
    if _is_missing(original) or _lacks_column(original):
        return error  # a table or a column of the host's own
    takes_no_writes = _sqlstate(original) == _READ_ONLY
    is_away = isinstance(error, OperationalError | InterfaceError | TimeoutError)
    if is_away or takes_no_writes or _was_stale(error):
        return Unavailable("database")
    return error


def _is_missing(original: object) -> bool:
    return bool(_codes(original) & _NO_TABLE) or "no such table" in str(original)


def _lacks_column(original: object) -> bool:
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


def _was_stale(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _run_all(callbacks: list[Callable[[], None]]) -> None:
    for callback in callbacks:
        try:
            callback()
        except Exception:
            # What is committed is committed: a listener's fault must cost neither the client its answer
            # nor the other listeners the news.
            log.exception("A listener failed after a commit")
