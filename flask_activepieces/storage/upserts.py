"""INSERTs that take an equal key, or a missing parent, as an answer: each database has words of its own for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import Insert, Table, bindparam, select


def insert_ignore(table: Table, dialect: str) -> Insert:
    """An INSERT that leaves an equal key's row as it is; `Transaction.changes` tells whether it inserted."""
    statement: Any = _insert_of(dialect)(table)
    if dialect in ("mysql", "mariadb"):
        statement = statement.prefix_with("IGNORE")
    else:
        statement = statement.on_conflict_do_nothing()
    # SQLAlchemy throws an INSERT's count away unless it is asked to keep it.
    return cast(Insert, statement.execution_options(preserve_rowcount=True))


def insert_if_parent_exists(table: Table, dialect: str, parent: Table, *conditions: Any) -> Insert:
    """Like `insert_ignore`, and only while ``parent`` has a row that meets the conditions.

    That row is locked against deletion until the commit: whoever deletes it meanwhile either comes first, and nothing
    is inserted, or waits, and finds what was inserted. Values are bound under the names of the columns.
    """
    values = [bindparam(column.name, type_=column.type).label(column.name) for column in table.c]
    standing = select(*values).select_from(parent).where(*conditions).with_for_update(read=True)
    names = list(table.c.keys())
    return insert_ignore(table, dialect).from_select(names, standing)


def upsert_statement(table: Table, dialect: str, columns: Sequence[str]) -> Insert:
    """An INSERT that writes these columns of an equal key's row anew, in one statement and under one lock."""
    statement: Any = _insert_of(dialect)(table)
    if dialect in ("mysql", "mariadb"):
        changed = {name: statement.inserted[name] for name in columns}
        return cast(Insert, statement.on_duplicate_key_update(changed))
    changed = {name: statement.excluded[name] for name in columns}
    return cast(
        Insert, statement.on_conflict_do_update(index_elements=table.primary_key, set_=changed)
    )


def _insert_of(dialect: str) -> Callable[[Table], Insert]:
    # In functions, for each is slow to load, and the app has loaded the one that it uses.
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as on_postgresql

        return on_postgresql
    if dialect in ("mysql", "mariadb"):
        from sqlalchemy.dialects.mysql import insert as on_mysql

        return on_mysql
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as on_sqlite

        return on_sqlite
    raise NotImplementedError(f"flask-activepieces does not know the database {dialect!r}")
