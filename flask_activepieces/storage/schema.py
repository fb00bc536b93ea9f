"""What the database lacks of our tables, which migrations may have created long ago or in part; and its time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Inspector, Table, UniqueConstraint, inspect, text

from .database import Database
from .event_tables import all_tables

#: Seconds since 1970. Not the time at which the transaction began.
_TIME = {
    "sqlite": "SELECT strftime('%s', 'now')",
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "mysql": "SELECT unix_timestamp()",
    "mariadb": "SELECT unix_timestamp()",
}
_COLLATIONS = text(
    "SELECT column_name, collation_name FROM information_schema.columns"
    " WHERE table_schema = coalesce(:schema, database()) AND table_name = :table"
)


@dataclass(frozen=True, kw_only=True)
class SchemaGaps:
    """What is missing, by name; columns as ``table.column``, keys and indexes as ``table (column, …)``."""

    tables: Sequence[str]
    columns: Sequence[str]
    #: Primary keys and unique constraints.
    keys: Sequence[str]
    indexes: Sequence[str]
    #: Columns that must compare byte by byte, and do not.
    collations: Sequence[str]


def find_gaps(database: Database) -> SchemaGaps:
    """Compare the database with `all_tables`. What it has besides does no harm."""
    return database.read(_find_gaps)


def database_time(database: Database) -> int:
    """The time of the database, in seconds since 1970."""
    statement = text(_TIME[database.dialect])
    return database.read(lambda conn: int(conn.scalar(statement)))


def journal_mode(database: Database) -> str | None:
    """The journal mode of SQLite; None for any other database."""
    if database.dialect != "sqlite":
        return None
    return database.read(lambda conn: str(conn.scalar(text("PRAGMA journal_mode"))))


def _find_gaps(conn: Connection) -> SchemaGaps:
    inspector, schema = inspect(conn), _schema_of(conn)
    existing = set(inspector.get_table_names(schema))
    found = [table for table in all_tables() if table.name in existing]
    columns = {table.name: {each["name"] for each in inspector.get_columns(table.name, schema)} for table in found}
    return SchemaGaps(
        tables=[table.name for table in all_tables() if table.name not in existing],
        columns=[
            f"{table.name}.{column.name}"
            for table in found
            for column in table.columns
            if column.name not in columns[table.name]
        ],
        keys=[gap for table in found for gap in _missing_keys(inspector, table, schema)],
        indexes=[gap for table in found for gap in _missing_indexes(inspector, table, schema)],
        collations=[gap for table in found for gap in _wrong_collations(conn, table, schema)],
    )


def _schema_of(conn: Connection) -> str | None:
    translated: dict[str | None, str | None] = conn.get_execution_options().get("schema_translate_map") or {}
    return translated.get(None)


def _missing_keys(inspector: Inspector, table: Table, schema: str | None) -> Iterator[str]:
    required = [tuple(column.name for column in table.primary_key.columns)]
    required += [_names(each.columns) for each in table.constraints if isinstance(each, UniqueConstraint)]
    required += [_names(index.columns) for index in table.indexes if index.unique]
    existing = {frozenset(names) for names in _unique_keys(inspector, table, schema)}
    yield from (_gap(table, names) for names in required if frozenset(names) not in existing)


def _missing_indexes(inspector: Inspector, table: Table, schema: str | None) -> Iterator[str]:
    indexes = [tuple(each["column_names"]) for each in inspector.get_indexes(table.name, schema)]
    existing = [*indexes, *_unique_keys(inspector, table, schema)]
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        names = _names(index.columns)
        # An index on more columns also serves for the first of them.
        if not any(each[: len(names)] == names for each in existing):
            yield _gap(table, names)


def _unique_keys(inspector: Inspector, table: Table, schema: str | None) -> Iterator[tuple[str | None, ...]]:
    yield tuple(inspector.get_pk_constraint(table.name, schema)["constrained_columns"])
    yield from (tuple(each["column_names"]) for each in inspector.get_unique_constraints(table.name, schema))
    yield from (tuple(each["column_names"]) for each in inspector.get_indexes(table.name, schema) if each["unique"])


def _wrong_collations(conn: Connection, table: Table, schema: str | None) -> Iterator[str]:
    # The other databases compare byte by byte, unless a column says otherwise.
    if conn.dialect.name not in ("mysql", "mariadb"):
        return
    existing = {
        name: collation for name, collation in conn.execute(_COLLATIONS, {"schema": schema, "table": table.name})
    }
    for column in table.columns:
        expected = getattr(column.type.dialect_impl(conn.dialect), "collation", None)
        actual = existing.get(column.name)
        if str(expected).endswith("_bin") and actual is not None and not actual.endswith("_bin"):
            yield f"{table.name}.{column.name}"


def _names(columns: Any) -> tuple[str, ...]:
    return tuple(column.name for column in columns)


def _gap(table: Table, names: Sequence[str]) -> str:
    return f"{table.name} ({', '.join(names)})"
