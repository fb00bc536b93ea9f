"""The host's Flask-SQLAlchemy: which of its engines we use, our tables in its metadata, and when its session lets go.

A host usually queries ``db.session`` to load the current user. That transaction stays open until the request ends,
and holds a connection of the pool. While Activepieces is slow, the waiting requests would hold all connections for a
query that finished long ago. And if as many requests run as the pool has connections, each would wait for a second.
So the session returns its connection to the pool before we take one, or call Activepieces.

Only a transaction that has read and nothing else is ended. Whatever the host has written or locked, and not yet
committed, is the host's to commit: its session is then left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, SelectBase, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, SessionTransactionOrigin, scoped_session

from ..config.settings import Settings
from ..errors import SetupError
from .database import Database
from .dialects import translate_error
from .event_tables import all_tables

#: In the ``info`` of a session or connection whose transaction has written or locked something.
_HAS_WRITTEN = "activepieces: the transaction has written"
#: In a SELECT: FOR UPDATE, FOR SHARE and LOCK IN SHARE MODE, or a change in a WITH clause.
_LOCK_OR_CHANGE = re.compile(r"\b(FOR|LOCK|INSERT|UPDATE|DELETE|MERGE)\b")
_FUNCTION = re.compile(r"([\w.\"`]+)\(")
#: Any other function may change or lock something, as pg_advisory_xact_lock and set_config do.
_READING_FUNCTIONS = frozenset(
    {
        *("avg", "count", "max", "min", "row_number", "sum"),
        *("coalesce", "greatest", "ifnull", "least", "nullif"),
        *("char_length", "concat", "length", "lower", "ltrim", "replace", "rtrim", "trim", "upper"),
        *("substr", "substring"),
        *("abs", "mod", "round"),
        *("date", "extract", "now"),
        *("cast", "decimal", "numeric", "varchar"),
    }
)
#: In the ``info`` of a session: the connections of its transaction.
_CONNECTIONS = "activepieces: connections"


def host_database(db: SQLAlchemy, settings: Settings, *, bind_key: str | None) -> Database:
    """Our database, on the engine of this bind; to be called in an app context.

    Our tables become part of the host's metadata, for ``create_all`` and for migrations.
    """
    engine = db.engines.get(bind_key)
    if engine is None:
        raise SetupError(_missing_engine_message(bind_key))
    metadata = db.metadatas.setdefault(bind_key, MetaData(info={"bind_key": bind_key}))
    for table in all_tables():
        name = f"{metadata.schema}.{table.name}" if metadata.schema else table.name
        if name not in metadata.tables:
            table.to_metadata(metadata)
    release = connection_release(db.session, db.engines.values()) if settings.release_session else None
    # In a bind of our own, no other program can expect another journal mode.
    wal = True if settings.sqlite_wal is None and bind_key is not None else settings.sqlite_wal
    return Database(engine, schema=metadata.schema, release=release, sqlite_wal=wal)


def _missing_engine_message(bind_key: str | None) -> str:
    if bind_key is None:
        return (
            "Flask-SQLAlchemy has no default database: set SQLALCHEMY_DATABASE_URI,"
            " or name one of SQLALCHEMY_BINDS with Activepieces(bind_key=...)."
        )
    return f"SQLALCHEMY_BINDS has no bind {bind_key!r}."


def connection_release(session: scoped_session[Any], engines: Iterable[Engine]) -> Callable[[], None]:
    """A function that releases the connection of ``db.session``."""
    for engine in engines:
        event.listen(engine, "before_cursor_execute", _note_statement)
    # Before the host's own listeners, which may write.
    event.listen(session, "after_begin", _note_connection, insert=True)
    event.listen(session, "after_flush", _note_flush)
    event.listen(session, "do_orm_execute", _note_orm_statement)
    event.listen(session, "after_transaction_end", _reset_write_flag)

    def release() -> None:
        try:
            is_used = session.registry.has()
        except RuntimeError:
            return  # outside an app context, where there is no session
        if is_used:
            _release(session())

    return release


def _release(session: Session) -> None:
    transaction = session.get_transaction()
    # Inside the host's ``with session.begin():``, SQLAlchemy rejects all statements after a commit.
    begun_by_host = transaction and transaction.origin is not SessionTransactionOrigin.AUTOBEGIN
    if transaction and not begun_by_host and _is_read_only(session):
        try:
            session.commit()  # what it has loaded is read again when it is used
        except DBAPIError as error:
            raise translate_error(error) from error


def _is_read_only(session: Session) -> bool:
    pending = session.new or session.dirty or session.deleted
    written = session.info.get(_HAS_WRITTEN) or any(
        not conn.invalidated and conn.info.get(_HAS_WRITTEN) for conn in session.info.get(_CONNECTIONS, ())
    )
    return not (pending or written or session.in_nested_transaction())


def _note_flush(session: Session, _: Any) -> None:
    session.info[_HAS_WRITTEN] = True


def _note_orm_statement(state: ORMExecuteState) -> None:
    # Textual SQL may do anything, so it counts as writing.
    if not state.is_select:
        state.session.info[_HAS_WRITTEN] = True


def _note_connection(session: Session, transaction: SessionTransaction, conn: Connection) -> None:
    if transaction.parent is None:
        conn.info.pop(_HAS_WRITTEN, None)  # left by an earlier user of this pooled connection
        session.info.setdefault(_CONNECTIONS, []).append(conn)


def _note_statement(conn: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    # The session learns nothing of bulk writes, nor of what is executed on session.connection().
    is_select = isinstance(getattr(context, "invoked_statement", None), SelectBase)
    if not is_select or not _only_reads(statement):
        conn.info[_HAS_WRITTEN] = True


@lru_cache(maxsize=1000)
def _only_reads(select: str) -> bool:
    functions = {name.lower() for name in _FUNCTION.findall(select)}
    return functions <= _READING_FUNCTIONS and not _LOCK_OR_CHANGE.search(select)


def _reset_write_flag(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_HAS_WRITTEN, None)
        session.info.pop(_CONNECTIONS, None)
