"""The host's engine for our tables, and the three ways in which we use it.

- `Database.read`: queries that need no transaction.
- `Database.write`: one INSERT, UPDATE or DELETE, which is atomic without a transaction around it.
- `Database.run_in_transaction`: several statements, all or nothing.

All three run again when the database reports that two writers got in each other's way, or when the pool handed out a
dead connection; so what they run makes its random values outside. Each error that means "the database is unreachable"
leaves here as `Unavailable`, which the edges turn into 503. Other errors are not translated.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Executable, Table, event
from sqlalchemy.exc import DBAPIError, TimeoutError

from ..errors import Unavailable
from .dialects import (
    SqliteSetup,
    insert_ignore,
    is_collision,
    mark_terminated_as_disconnected,
    translate_error,
    was_disconnected,
)

T = TypeVar("T")

Values = Mapping[str, Any]

#: How often what collides is tried, and for how many seconds.
MAX_ATTEMPTS = 15
RETRY_SECONDS = 5.0


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
    """One app's tables, on the engine of the host's bind.

    ``release`` is called before a connection is taken, and before Activepieces is; ``sqlite_wal``: see `SqliteSetup`.
    ``sleep`` is for tests.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        schema: str | None = None,
        release: Callable[[], None] | None = None,
        sqlite_wal: bool | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        host_engine = engine
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", SqliteSetup(wal=sqlite_wal))
        if engine.dialect.name == "postgresql":
            event.listen(engine, "handle_error", mark_terminated_as_disconnected)
        if schema is not None:
            engine = engine.execution_options(schema_translate_map={None: schema})
        self._engine = engine
        self.release = release or (lambda: None)
        self._sleep = sleep
        # PostgreSQL needs a round trip each for BEGIN and ROLLBACK or COMMIT, which a single statement can do
        # without. SQLite has no round trips, and MySQL needs one more to switch the mode.
        is_postgresql = engine.dialect.name == "postgresql"
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT") if is_postgresql else engine
        #: For a statement of ours in the transaction of the host's session.
        self.session_options: Mapping[str, Any] = {
            "bind_arguments": {"bind": host_engine},
            "execution_options": {"schema_translate_map": {None: schema}} if schema is not None else {},
        }

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql``, ``mysql`` or ``mariadb``."""
        return self._engine.dialect.name

    def read(self, query: Callable[[Connection], T]) -> T:
        """The result of the queries."""
        return self._run(self._single.connect, query)

    def write(self, statement: Executable, values: Values | None = None) -> int:
        """Run one INSERT, UPDATE or DELETE and commit it; returns how many rows matched."""
        return self._run(self._single.begin, lambda conn: int(conn.execute(statement, values).rowcount))

    def insert_ignore(self, table: Table, values: Values) -> bool:
        """Insert a row and commit it; False if a row with its key exists."""
        return self.write(insert_ignore(table, self.dialect), values) == 1

    def run_in_transaction(self, function: Callable[[Transaction], T]) -> T:
        """The result of ``function``, committed; its callbacks run after the commit."""

        def run(conn: Connection) -> tuple[T, Transaction]:
            transaction = Transaction(conn)
            return function(transaction), transaction

        result, transaction = self._run(self._engine.begin, run)
        for callback in transaction.after_commit:
            callback()
        return result

    def _run(
        self, connect: Callable[[], AbstractContextManager[Connection]], function: Callable[[Connection], T]
    ) -> T:
        give_up_at = time.monotonic() + RETRY_SECONDS
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                self.release()
                with connect() as conn:
                    return function(conn)
            except (ConcurrentUpdate, DBAPIError, TimeoutError) as error:
                if not (isinstance(error, ConcurrentUpdate) or is_collision(error) or was_disconnected(error)):
                    raise translate_error(error) from error
                if attempt == MAX_ATTEMPTS or time.monotonic() > give_up_at:
                    raise Unavailable("database", retry_after=1) from error
            # Longer each time, and with jitter, so that those who collided do not collide again.
            self._sleep(random.uniform(0.2, 1.0) * min(0.01 * attempt, 0.2))  # noqa: S311  # not a secret
        raise AssertionError("the loop returns or raises")
