"""Behavior of real database servers: dropped connections, and inserts of existing rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, bindparam, create_engine, delete, insert, select, text, update

from flask_activepieces.errors import SetupError
from flask_activepieces.storage import tables
from flask_activepieces.storage.database import Database
from flask_activepieces.storage.dialects import insert_ignore
from tests.support.databases import Kind, fresh_database

ONE = text("SELECT 1")
WAYS: dict[str, Callable[[Database], Any]] = {
    "read": lambda database: database.read(lambda connection: connection.scalar(ONE)),
    "write": lambda database: database.write(ONE),
    "transact": lambda database: database.run_in_transaction(lambda t: t.execute(ONE).scalar()),
}


@pytest.mark.parametrize(
    "kind", [pytest.param("postgres", marks=pytest.mark.postgres), pytest.param("mariadb", marks=pytest.mark.mariadb)]
)
@pytest.mark.parametrize("way", WAYS)
def test_dropped_connections_are_replaced(tmp_path: Path, kind: Kind, way: str) -> None:
    """As after a restart of the server, or when a firewall drops idle connections."""
    with fresh_database(kind, tmp_path) as url:
        engine, admin = create_engine(url), create_engine(url)
        database = Database(engine)
        with engine.connect() as first, engine.connect() as second, engine.connect() as third:
            assert [pooled.scalar(ONE) for pooled in (first, second, third)] == [1, 1, 1]
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            end_other_sessions(kind, connection)

        assert WAYS[way](database) == 1

        engine.dispose()
        admin.dispose()


def end_other_sessions(kind: Kind, connection: Any) -> None:
    if kind == "postgres":
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        return
    others = connection.scalars(
        text("SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()")
    ).all()
    for identifier in others:
        connection.execute(text(f"KILL {int(identifier)}"))


TERMINATE_SELF = text("DO $$ BEGIN RAISE EXCEPTION 'over' USING ERRCODE = '57P01'; END $$")


@pytest.mark.postgres
@pytest.mark.parametrize("way", ["read", "transact"])
def test_a_connection_terminated_during_a_statement_is_replaced(tmp_path: Path, way: str) -> None:
    """The server sends an error before it closes the connection, so the driver still considers it open."""
    with fresh_database("postgres", tmp_path) as url:
        engine = create_engine(url)
        database = Database(engine)
        statements = iter([TERMINATE_SELF, ONE])
        ask: dict[str, Callable[[], Any]] = {
            "read": lambda: database.read(lambda c: c.scalar(next(statements))),
            "transact": lambda: database.run_in_transaction(lambda t: t.execute(next(statements)).scalar()),
        }

        assert ask[way]() == 1

        engine.dispose()


@pytest.mark.postgres
def test_a_write_that_the_server_terminates_is_retried(tmp_path: Path) -> None:
    with fresh_database("postgres", tmp_path) as url:
        engine = create_engine(url)
        database = Database(engine)
        database.write(text("CREATE SEQUENCE attempts"))

        database.write(
            text(
                "DO $$ BEGIN IF nextval('attempts') = 1 THEN"
                " RAISE EXCEPTION 'over' USING ERRCODE = '57P01'; END IF; END $$"
            )
        )

        attempts = text("SELECT last_value FROM attempts")
        assert database.read(lambda conn: conn.scalar(attempts)) == 2
        engine.dispose()


# INSERTs that ignore an existing row


@pytest.mark.parametrize(
    "kind",
    [
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def test_an_insert_returns_whether_the_row_is_new(tmp_path: Path, kind: Kind) -> None:
    table = tables.revocations
    row = {"subject": "token:x", "created_at": 1, "expires_at": 2}
    with fresh_database(kind, tmp_path) as url:
        engine = create_engine(url)
        tables.metadata.create_all(engine, tables=[table])
        database = Database(engine)
        statement = insert_ignore(table, database.dialect)

        changes = [
            database.write(statement, values)
            for values in (row, row | {"expires_at": 9}, row | {"subject": "token:X"})
        ]
        stored = database.read(lambda connection: list(connection.execute(table.select())))

        engine.dispose()
    assert changes == [1, 0, 1]
    assert sorted((found.subject, found.expires_at) for found in stored) == [("token:X", 2), ("token:x", 2)]


# Tables of an older version, if the app was deployed before the migration

_TABLE = tables.revocations
OF_A_NEW_COLUMN: dict[str, tuple[Executable, dict[str, Any]]] = {
    "SELECT": (select(_TABLE.c.expires_at), {}),
    "INSERT": (insert(_TABLE), {"subject": "x", "created_at": 1, "expires_at": 2}),
    "UPDATE": (update(_TABLE).values(expires_at=bindparam("then")), {"then": 3}),
    "DELETE": (delete(_TABLE).where(_TABLE.c.expires_at == bindparam("then")), {"then": 3}),
}
DOINGS: dict[str, Callable[[Database, Executable, dict[str, Any]], Any]] = {
    "read": lambda database, statement, values: database.read(
        lambda connection: connection.execute(statement, values)
    ),
    "transact": lambda database, statement, values: database.run_in_transaction(
        lambda transaction: transaction.execute(statement, values)
    ),
    "write": lambda database, statement, values: database.write(statement, values),
}


@pytest.mark.parametrize(
    "kind",
    [
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def test_the_error_for_a_missing_column_names_the_remedy(tmp_path: Path, kind: Kind) -> None:
    with fresh_database(kind, tmp_path) as url:
        engine = create_engine(url)
        tables.metadata.create_all(engine, tables=[_TABLE])
        with engine.begin() as connection:
            for index in _TABLE.indexes:
                index.drop(connection)
            connection.execute(text(f"ALTER TABLE {_TABLE.name} DROP COLUMN expires_at"))
        database = Database(engine)

        for statement, values in OF_A_NEW_COLUMN.values():
            for do in DOINGS.values():
                with pytest.raises(SetupError, match=r"older than this version: run your migrat"):
                    do(database, statement, values)

        engine.dispose()


def test_an_unsupported_database_is_named() -> None:
    table = tables.revocations

    with pytest.raises(NotImplementedError, match="'oracle'"):
        insert_ignore(table, "oracle")
