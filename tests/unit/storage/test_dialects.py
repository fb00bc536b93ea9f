"""SQLite: when write-ahead logging is enabled, and when the log names the setting."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from flask_activepieces.storage.database import Database
from flask_activepieces.storage.dialects import BUSY_TIMEOUT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "host.sqlite"


@pytest.fixture
def old_file(file: Path) -> Path:
    """A database of the host with one table."""
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE users (id INTEGER)")
    connection.close()
    return file


def opened(file: Path, *, wal: bool | None = None) -> Engine:
    engine = create_engine(f"sqlite:///{file}")
    Database(engine, sqlite_wal=wal)
    return engine


def pragma(engine: Engine, name: str) -> str:
    with engine.connect() as conn:
        value = str(conn.scalar(text(f"PRAGMA {name}")))
    engine.dispose()
    return value


def test_a_new_file_gets_write_ahead_logging(file: Path) -> None:
    assert pragma(opened(file), "journal_mode") == "wal"


def test_an_existing_file_keeps_its_mode_and_the_log_names_the_setting_once(
    old_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = opened(old_file)
    with caplog.at_level(logging.WARNING), engine.connect() as first, engine.connect() as second:
        modes = [conn.scalar(text("PRAGMA journal_mode")) for conn in (first, second)]
    engine.dispose()

    assert modes == ["delete", "delete"]
    assert len(caplog.records) == 1
    assert "Set ACTIVEPIECES_SQLITE_WAL to True" in caplog.text


def test_the_setting_enables_it_for_an_existing_file(old_file: Path) -> None:
    assert pragma(opened(old_file, wal=True), "journal_mode") == "wal"


def test_the_setting_disables_it_for_a_new_file(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert pragma(opened(file, wal=False), "journal_mode") == "delete"
    assert not caplog.records


def test_a_file_in_write_ahead_mode_stays_unchanged(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    pragma(opened(file), "journal_mode")

    assert pragma(opened(file), "journal_mode") == "wal"
    assert not caplog.records


def test_writers_wait_for_each_other(file: Path) -> None:
    assert pragma(opened(file), "busy_timeout") == str(BUSY_TIMEOUT * 1000)


def test_a_database_in_memory_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine("sqlite://")
    Database(engine)

    assert pragma(engine, "journal_mode") == "memory"
    assert not caplog.records
