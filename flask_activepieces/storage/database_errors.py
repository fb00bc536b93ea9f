"""What the errors of databases mean: each driver says it in its own way."""

from __future__ import annotations

from sqlalchemy import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, StatementError, TimeoutError

from ..errors import SetupError, Unavailable
from .tables import TABLE_PREFIX

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


def mark_terminated_as_disconnected(context: ExceptionContext) -> None:
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
    if is_away or takes_no_writes or was_disconnected(error):
        return Unavailable("database")
    return error


def _is_missing(original: object) -> bool:
    return bool(_codes(original) & _NO_TABLE) or "no such table" in str(original)


def _is_missing_column(original: object) -> bool:
    said = str(original)
    in_words = "no such column" in said or "has no column named" in said
    return bool(_codes(original) & _NO_COLUMN) or in_words


def is_collision(error: Exception) -> bool:
    original = getattr(error, "orig", None)
    return bool(_codes(original) & _COLLISIONS) or "database is locked" in str(original)


def _codes(original: object) -> set[object]:
    # SQLite has none in its Python exceptions before 3.11: its words have not changed since 2004.
    arguments: tuple[object, ...] = getattr(original, "args", ())
    return {_sqlstate(original), *arguments[:1]} - {None}


def _sqlstate(error: object) -> str | None:
    # As psycopg calls it, and as psycopg2 does.
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def was_disconnected(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
