"""The state of the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from flask_activepieces.clock import CLOCK_SKEW
from flask_activepieces.doctor.data.schema import check_database
from flask_activepieces.doctor.findings import Finding
from flask_activepieces.state import get_state
from tests.conftest import MakeApp
from tests.support import hosts
from tests.support.clock import StoppedClock
from tests.support.databases import fresh_database
from tests.support.doctor import codes, only
from tests.support.storage import engine_of


@pytest.fixture(autouse=True)
def right_time(app: Flask, clock: StoppedClock) -> None:
    with engine_of(app).connect() as conn:
        clock.now = int(str(conn.scalar(text("SELECT strftime('%s', 'now')"))))


def change(app: Flask, *statements: str) -> None:
    """Run SQL."""
    conn: Connection
    with engine_of(app).begin() as conn:
        for statement in statements:
            conn.execute(text(statement))


def found(app: Flask) -> list[Finding]:
    return list(check_database(get_state(app)))


def test_a_complete_database_is_not_reported(app: Flask) -> None:
    assert found(app) == []


def test_missing_tables_are_found(app: Flask) -> None:
    change(app, "DROP TABLE activepieces_leases", "DROP TABLE activepieces_events")

    finding = only(found(app), "tables-missing")

    assert finding.seen == "The database lacks tables: activepieces_events, activepieces_leases."


def test_missing_columns_are_found(app: Flask) -> None:
    change(app, "ALTER TABLE activepieces_grants DROP COLUMN workspace_name")

    assert "activepieces_grants.workspace_name" in only(found(app), "columns-missing").seen


def test_missing_unique_constraints_are_found(app: Flask) -> None:
    change(
        app,
        "CREATE TABLE copy AS SELECT * FROM activepieces_integrations",
        "DROP TABLE activepieces_integrations",
        "ALTER TABLE copy RENAME TO activepieces_integrations",
    )

    seen = only(found(app), "keys-missing").seen

    assert "activepieces_integrations (id)" in seen
    assert "activepieces_integrations (tenant_id, organization_id)" in seen


def test_missing_indexes_are_found(app: Flask) -> None:
    change(app, "DROP INDEX ix_activepieces_revocations_expires_at")

    assert "activepieces_revocations (expires_at)" in only(found(app), "indexes-missing").seen


def test_an_index_that_begins_with_the_columns_suffices(app: Flask) -> None:
    change(
        app,
        "DROP INDEX ix_activepieces_revocations_expires_at",
        "CREATE INDEX longer ON activepieces_revocations (expires_at, subject)",
    )

    assert found(app) == []


@pytest.mark.parametrize(
    ("seconds", "seen"), [(CLOCK_SKEW + 5, "seconds ahead of"), (-CLOCK_SKEW - 5, "seconds behind")]
)
def test_a_clock_that_is_wrong_is_found(app: Flask, clock: StoppedClock, seconds: int, seen: str) -> None:
    clock.advance(seconds)

    assert seen in only(found(app), "clock").seen


def test_a_small_difference_is_allowed_for(app: Flask, clock: StoppedClock) -> None:
    clock.advance(CLOCK_SKEW - 5)

    assert found(app) == []


def test_a_sqlite_file_without_write_ahead_log_is_found(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'old.sqlite'}")
    with engine_of(app).connect() as conn:
        conn.exec_driver_sql("PRAGMA journal_mode = DELETE")

    assert "journal mode delete" in only(found(app), "sqlite-journal").seen


def test_an_unreachable_database_is_found(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    engine_of(app).dispose()
    app.config["SQLALCHEMY_DATABASE_URI"] = ""
    (tmp_path / "host.sqlite").unlink()
    (tmp_path / "host.sqlite").mkdir()

    assert codes(found(app)) == ["database-unreachable"]


@pytest.mark.mariadb
def test_a_column_that_ignores_case_is_found(tmp_path: Path, clock: StoppedClock) -> None:
    with fresh_database("mariadb", tmp_path) as url:
        app = hosts.make_app(tmp_path, database=url, clock=clock)
        changed = "tenant_id VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL"
        change(app, f"ALTER TABLE activepieces_grants MODIFY {changed}")

        assert "activepieces_grants.tenant_id" in only(found(app), "collation").seen
        hosts.dispose(app)
