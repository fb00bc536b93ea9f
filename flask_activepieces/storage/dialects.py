"""What differs from one database to another: INSERTs, the setup of a connection, and what errors mean."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

from sqlalchemy import ExceptionContext, Insert, Table, bindparam, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, StatementError, TimeoutError

from ..errors import SetupError, Unavailable
from .tables import TABLE_PREFIX

log = logging.getLogger(__name__)

#: Seconds that a writer of SQLite waits for another.
BUSY_TIMEOUT = 10
#: The module of SQLAlchemy that has the database's own INSERT. The engine has loaded it already.
_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
#: PostgreSQL: a standby, or a server that is being switched over, takes no writes for now.
_READ_ONLY = "25006"
#: PostgreSQL: an administrator ended the connection, or another one crashed and took all with it.
_ENDED = {"57P01", "57P02"}
#: PostgreSQL: serialization failure, deadlock. MySQL and MariaDB: a row that changed since it was read (snapshot
#: isolation, the default from MariaDB 11.6 on), lock wait timeout, deadlock.
_COLLISIONS: set[object] = {"40001", "40P01", 1020, 1205, 1213}
#: PostgreSQL; MySQL and MariaDB.
_NO_TABLE: set[object] = {"42P01", 1146}
_NO_COLUMN: set[object] = {"42703", 1054}
_MIGRATE = "The tables of flask-activepieces are missing or older than this version: run your migrations"


def insert_ignore(table: Table, dialect: str) -> Insert:
    """An INSERT that leaves an existing row with this key as it is; the row count says whether it inserted."""
    statement = _dialect_insert(table, dialect)
    if _DIALECTS[dialect] == "mysql":
        statement = statement.prefix_with("IGNORE")
    else:
        statement = statement.on_conflict_do_nothing()
    # SQLAlchemy discards the row count of an INSERT unless asked to keep it.
    return cast(Insert, statement.execution_options(preserve_rowcount=True))


def insert_if_parent_exists(table: Table, dialect: str, parent: Table, *conditions: Any) -> Insert:
    """Like `insert_ignore`, and only if ``parent`` has a row that meets the conditions.

    That row is locked against deletion until the commit. A concurrent deletion either comes first, and nothing is
    inserted, or waits, and then sees what was inserted. Values are bound under the names of the columns.
    """
    values = [bindparam(column.name, type_=column.type).label(column.name) for column in table.c]
    source = select(*values).select_from(parent).where(*conditions).with_for_update(read=True)
    return insert_ignore(table, dialect).from_select(list(table.c.keys()), source)


def upsert(table: Table, dialect: str, columns: Sequence[str]) -> Insert:
    """An INSERT that overwrites these columns if the key exists, in one statement and under one lock."""
    statement = _dialect_insert(table, dialect)
    if _DIALECTS[dialect] == "mysql":
        values = {name: statement.inserted[name] for name in columns}
        return cast(Insert, statement.on_duplicate_key_update(values))
    values = {name: statement.excluded[name] for name in columns}
    return cast(Insert, statement.on_conflict_do_update(index_elements=table.primary_key, set_=values))


def upsert_counting(table: Table, dialect: str, counter: str, columns: Sequence[str]) -> Insert:
    """An INSERT that, if the key exists, adds its counter to the row's and overwrites these columns."""
    statement = _dialect_insert(table, dialect)
    is_mysql = _DIALECTS[dialect] == "mysql"
    given = statement.inserted if is_mysql else statement.excluded
    values = {counter: table.c[counter] + given[counter]} | {name: given[name] for name in columns}
    if is_mysql:
        return cast(Insert, statement.on_duplicate_key_update(values))
    return cast(Insert, statement.on_conflict_do_update(index_elements=table.primary_key, set_=values))


def _dialect_insert(table: Table, dialect: str) -> Any:
    if dialect not in _DIALECTS:
        raise NotImplementedError(f"flask-activepieces does not support the database {dialect!r}")
    return import_module(f"sqlalchemy.dialects.{_DIALECTS[dialect]}").insert(table)


class SqliteSetup:
    """Sets up each new connection of SQLite's driver.

    With write-ahead logging readers do not block the writer, and a second writer waits instead of failing. The mode
    is a property of the file: ``wal`` says whether to switch it on; None does so in a new file only.
    """

    def __init__(self, *, wal: bool | None) -> None:
        self._wal = wal
        self._has_warned = False

    def __call__(self, connection: Any, _: Any) -> None:
        (busy_timeout,) = connection.execute("PRAGMA busy_timeout").fetchone()
        if busy_timeout < BUSY_TIMEOUT * 1000:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000}")
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode in ("wal", "memory"):
            return
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        is_new = pages == 0
        if self._wal or (self._wal is None and is_new):
            connection.execute("PRAGMA journal_mode = WAL")
        elif self._wal is None and not self._has_warned:
            self._has_warned = True
            log.warning(
                "The SQLite database is in journal mode %s, in which readers and writers block each other."
                " Set ACTIVEPIECES_SQLITE_WAL to True to switch on write-ahead logging, or to False to keep it.",
                mode,
            )


def mark_terminated_as_disconnected(context: ExceptionContext) -> None:
    # The server says goodbye before it hangs up, and until then the driver takes the connection for a good one.
    if _sqlstate(context.original_exception) in _ENDED:
        context.is_disconnect = True


def translate_error(error: Exception) -> Exception:
    """What a database error means: `Unavailable`, `SetupError`, or itself when it is neither."""
    if isinstance(error, StatementError):
        error.hide_parameters = True  # the values may be secrets, and an error ends up in a log
    original, statement = getattr(error, "orig", None), str(getattr(error, "statement", ""))
    said, codes = str(original), _codes(original)
    misses_table = bool(codes & _NO_TABLE) or "no such table" in said
    misses_column = bool(codes & _NO_COLUMN) or "no such column" in said or "has no column named" in said
    if misses_table and TABLE_PREFIX in said:
        return SetupError(f"{_MIGRATE}, or db.create_all().")
    # A database need not say whose column it misses; the statement does.
    if misses_column and TABLE_PREFIX in f"{said} {statement}":
        return SetupError(f"{_MIGRATE}.")
    if misses_table or misses_column:
        return error  # a table or a column of the host's own
    is_away = isinstance(error, OperationalError | InterfaceError | TimeoutError)
    if is_away or _READ_ONLY in codes or was_disconnected(error):
        return Unavailable("database")
    return error


def is_collision(error: Exception) -> bool:
    original = getattr(error, "orig", None)
    return bool(_codes(original) & _COLLISIONS) or "database is locked" in str(original)


def was_disconnected(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _codes(original: object) -> set[object]:
    # SQLite has none in its Python exceptions before 3.11: its words have not changed since 2004.
    arguments: tuple[object, ...] = getattr(original, "args", ())
    return {_sqlstate(original), *arguments[:1]} - {None}


def _sqlstate(error: object) -> str | None:
    # As psycopg calls it, and as psycopg2 does.
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
