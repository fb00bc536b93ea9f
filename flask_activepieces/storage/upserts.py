"""INSERTs that accept an existing key or a missing parent, in the SQL of each database."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

from sqlalchemy import Insert, Table, bindparam, select

#: The module of SQLAlchemy that has the database's own INSERT. The engine has loaded it already.
_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}


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


def _dialect_insert(table: Table, dialect: str) -> Any:
    if dialect not in _DIALECTS:
        raise NotImplementedError(f"flask-activepieces does not support the database {dialect!r}")
    return import_module(f"sqlalchemy.dialects.{_DIALECTS[dialect]}").insert(table)
