"""What a database lacks of our tables, on every database. tests/unit/doctor/data has more, on SQLite."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from flask_activepieces.storage import tables
from flask_activepieces.storage.database import Database
from flask_activepieces.storage.schema import SchemaGaps, database_time, find_gaps, journal_mode
from tests.support.databases import Kind, fresh_database

COMPLETE = SchemaGaps(tables=[], columns=[], keys=[], indexes=[], collations=[])
KINDS = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    kind: Kind = request.param
    with fresh_database(kind, tmp_path) as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


def test_an_empty_database_lacks_all_tables(engine: Engine) -> None:
    gaps = find_gaps(Database(engine))

    assert set(gaps.tables) == set(tables.metadata.tables)
    assert not gaps.columns


def test_a_complete_database_lacks_nothing(engine: Engine) -> None:
    database = Database(engine)
    tables.metadata.create_all(engine)

    assert find_gaps(database) == COMPLETE


def test_the_database_has_a_clock(engine: Engine) -> None:
    assert abs(database_time(Database(engine)) - time.time()) < 30


def test_only_sqlite_has_a_journal(engine: Engine) -> None:
    assert (journal_mode(Database(engine)) is not None) == (engine.dialect.name == "sqlite")


@pytest.mark.postgres
def test_tables_in_a_schema_are_found(tmp_path: Path) -> None:
    with fresh_database("postgres", tmp_path) as url:
        engine = create_engine(url)
        with engine.begin() as conn:
            conn.execute(text("CREATE SCHEMA ours"))
        database = Database(engine, schema="ours")
        assert find_gaps(database).tables
        tables.metadata.create_all(engine.execution_options(schema_translate_map={None: "ours"}))

        assert find_gaps(database) == COMPLETE
        engine.dispose()


@pytest.mark.mariadb
def test_a_column_that_ignores_case_is_found(tmp_path: Path) -> None:
    """As in a migration that was written for another database."""
    with fresh_database("mariadb", tmp_path) as url:
        engine = create_engine(url)
        tables.metadata.create_all(engine)
        with engine.begin() as conn:
            changed = "tenant_id VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL"
            conn.execute(text(f"ALTER TABLE activepieces_grants MODIFY {changed}"))

        assert find_gaps(Database(engine)).collations == ["activepieces_grants.tenant_id"]
        engine.dispose()


@pytest.mark.postgres
def test_missing_keys_and_indexes_are_found(tmp_path: Path) -> None:
    with fresh_database("postgres", tmp_path) as url:
        engine = create_engine(url)
        tables.metadata.create_all(engine)
        with engine.begin() as conn:
            conn.execute(text("ALTER TABLE activepieces_revocations DROP CONSTRAINT pk_activepieces_revocations"))
            conn.execute(text("DROP INDEX ix_activepieces_leases_expires_at"))

        gaps = find_gaps(Database(engine))

        assert gaps.keys == ["activepieces_revocations (subject)"]
        assert gaps.indexes == ["activepieces_leases (expires_at)"]
        engine.dispose()
