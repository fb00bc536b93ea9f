"""Statements that SQLAlchemy writes once and the driver runs, for what nearly every request asks.

SQLAlchemy's execution of a statement costs several times what the database needs to answer it
(docs/performance.md). A prepared statement is compiled by SQLAlchemy for the dialect, so that it is right on every
database, and then handed to the driver's cursor. Its columns must be plain text and numbers, for nothing converts
them; its errors are SQLAlchemy's all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError

Values = dict[str, Any]


@dataclass(frozen=True)
class _Text:
    """A statement in one dialect's words."""

    sql: str
    #: The order of the values, where the driver wants them by position.
    order: tuple[str, ...] | None

    def arguments(self, values: Values) -> Any:
        return values if self.order is None else [values[name] for name in self.order]


class Prepared:
    """The prepared statements of one engine."""

    def __init__(self, engine: Engine, *, schema: str | None) -> None:
        self._engine = engine
        self._schema = schema
        self._texts: dict[int, tuple[Executable, _Text]] = {}

    def rows(self, connection: Connection, statement: Executable, values: Values) -> list[Any]:
        """What a SELECT finds, as plain tuples."""
        cursor = self._run(connection, statement, values)
        found: list[Any] = cursor.fetchall()
        cursor.close()
        return found

    def changes(self, connection: Connection, statement: Executable, values: Values) -> int:
        """How many rows an INSERT, UPDATE or DELETE met."""
        cursor = self._run(connection, statement, values)
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def _run(self, connection: Connection, statement: Executable, values: Values) -> Any:
        text = self._text_of(statement)
        arguments = text.arguments(values)
        listeners, cursor, context = connection.dispatch, None, None
        before, after = listeners.before_cursor_execute, listeners.after_cursor_execute
        try:
            cursor = connection.connection.cursor()
            if before or after:
                context = _context(text.sql, arguments)
            for listener in before:
                listener(connection, cursor, text.sql, arguments, context, False)
            cursor.execute(text.sql, arguments)
            for listener in after:
                listener(connection, cursor, text.sql, arguments, context, False)
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._told_as_sqlalchemy_would(
                error, connection=connection, cursor=cursor, statement=text.sql, context=context
            ) from error
        return cursor

    def _text_of(self, statement: Executable) -> _Text:
        # By identity: the statements are constants of their modules, and hashing one costs as much as running it.
        known = self._texts.get(id(statement))
        if known is None:
            in_schema = {} if self._schema is None else _rendered_in(self._schema)
            compiled: Any = statement.compile(  # type: ignore[attr-defined]  # every Executable here has it
                dialect=self._engine.dialect, **in_schema
            )
            order = None if compiled.positiontup is None else tuple(compiled.positiontup)
            known = self._texts[id(statement)] = statement, _Text(compiled.string, order)
        return known[1]

    def _told_as_sqlalchemy_would(
        self, error: Exception, *, connection: Connection, cursor: Any, statement: str, context: Any
    ) -> BaseException:
        dialect = self._engine.dialect
        is_gone = dialect.is_disconnect(error, connection.connection.driver_connection, cursor)  # type: ignore[arg-type]
        told: BaseException = DBAPIError.instance(
            statement,
            None,  # never the values: they may be somebody's
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=is_gone,
            dialect=dialect,
        )
        heard = _exception_context(error, told, connection, cursor, statement, context, is_gone)
        for listener in dialect.dispatch.handle_error:
            told = heard.chained_exception = listener(heard) or told
        if heard.is_disconnect != is_gone and isinstance(told, DBAPIError):
            told.connection_invalidated = heard.is_disconnect  # a listener knew better
        if heard.is_disconnect:
            connection.invalidate(error)
            # The others in the pool are from before, too; those in use are thrown away when they come back.
            self._engine.dispose()
        return told


def _context(sql: str, arguments: Any) -> SimpleNamespace:
    """What a host's monitoring looks at of a statement as SQLAlchemy runs it, and where it keeps its notes."""
    return SimpleNamespace(
        statement=sql, parameters=arguments, compiled=None, executemany=False, execution_options={}
    )


def _exception_context(
    error: Exception,
    told: BaseException,
    connection: Connection,
    cursor: Any,
    statement: str,
    context: Any,
    is_gone: bool,
) -> SimpleNamespace:
    """What it looks at of an error: the attributes of `sqlalchemy.engine.ExceptionContext`."""
    return SimpleNamespace(
        original_exception=error,
        sqlalchemy_exception=told,
        chained_exception=told,
        engine=connection.engine,
        dialect=connection.dialect,
        connection=connection,
        cursor=cursor,
        statement=statement,
        parameters=None,
        execution_context=context,
        is_disconnect=is_gone,
        invalidate_pool_on_disconnect=True,
        is_pre_ping=False,
    )


def _rendered_in(schema: str) -> dict[str, Any]:
    return {"schema_translate_map": {None: schema}, "render_schema_translate": True}
