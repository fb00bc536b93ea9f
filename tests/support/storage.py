"""Inspects the database: stored rows, the statements of an operation, and simulated failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Engine

from flask_activepieces.storage import tables


def row_counts(app: Flask) -> dict[str, int]:
    """The number of rows in each of our tables, without empty tables."""
    with engine_of(app).connect() as connection:
        counts = {
            table.name.removeprefix("activepieces_"): connection.scalar(select(func.count()).select_from(table))
            for table in tables.metadata.sorted_tables
        }
    return {name: count for name, count in counts.items() if count}


def rows_of(app: Flask, table: str) -> list[dict[str, Any]]:
    """All rows of one of our tables."""
    with engine_of(app).connect() as connection:
        found = connection.execute(text(f"SELECT * FROM activepieces_{table}"))  # noqa: S608
        return [dict(row._mapping) for row in found]


@contextmanager
def statements_of(app: Flask) -> Iterator[list[str]]:
    """Collect the SQL statements, and ``COMMIT``, while the block runs."""
    engine, collected = engine_of(app), list[str]()

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        collected.append(statement)

    def note_commit(connection: Any) -> None:
        collected.append("COMMIT")

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", note_commit)
    try:
        yield collected
    finally:
        event.remove(engine, "before_cursor_execute", note)
        event.remove(engine, "commit", note_commit)


def engine_of(app: Flask) -> Engine:
    """The engine of the app's own database."""
    with app.app_context():
        engine: Engine = app.extensions["sqlalchemy"].engine
    return engine


@contextmanager
def commit_unconfirmed(app: Flask) -> Iterator[None]:
    """The next COMMIT succeeds, but its confirmation is lost, so that the app cannot know the outcome."""
    engine, lost = engine_of(app), list[bool]()

    def commit_and_hang_up(connection: Any) -> None:
        if not lost:
            lost.append(True)
            driver = connection.connection.dbapi_connection
            driver.commit()
            driver.close()

    event.listen(engine, "commit", commit_and_hang_up)
    try:
        yield
    finally:
        event.remove(engine, "commit", commit_and_hang_up)
    assert lost, "nothing was committed"


@contextmanager
def database_away(app: Flask) -> Iterator[None]:
    """Close all connections, and let no new one be opened while the block runs."""
    engine = engine_of(app)

    def refuse(dialect: Any, record: Any, *_: Any) -> Any:
        raise dialect.loaded_dbapi.OperationalError("the test made the database unreachable")

    engine.dispose()
    event.listen(engine, "do_connect", refuse)
    try:
        yield
    finally:
        event.remove(engine, "do_connect", refuse)
