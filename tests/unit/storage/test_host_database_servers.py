"""SELECTs that lock or change something; SQLite has no such locks and functions."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Executable, column, func, insert, select, table

from flask_activepieces.storage.host_database import connection_release
from tests.support.databases import Kind, fresh_database

postgres = pytest.param("postgres", marks=pytest.mark.postgres)
mariadb = pytest.param("mariadb", marks=pytest.mark.mariadb)

THINGS = table("things", column("id"))
SHARED_LOCK = select(THINGS.c.id).with_for_update(read=True)
INSERTED = insert(THINGS).values(id=2).returning(THINGS.c.id).cte()


def is_kept(kind: Kind, directory: Path, statement: Executable) -> bool:
    """Whether the session's transaction continues after the release."""
    app = Flask(__name__)
    with fresh_database(kind, directory) as url:
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        db = SQLAlchemy(app)
        with app.app_context():
            with db.engine.begin() as connection:
                connection.exec_driver_sql("CREATE TABLE things (id INTEGER)")
            release = connection_release(db.session, [db.engine])
            db.session.execute(statement)

            release()

            kept = db.session().in_transaction()
            db.session.remove()
            db.engine.dispose()
    return kept


@pytest.mark.parametrize("kind", [postgres, mariadb])
def test_a_shared_lock_is_kept(tmp_path: Path, kind: Kind) -> None:
    """In MySQL it is LOCK IN SHARE MODE."""
    assert is_kept(kind, tmp_path, SHARED_LOCK)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    [select(func.pg_advisory_xact_lock(1)), select(func.set_config("app.tenant", "acme", True)), select(INSERTED)],
    ids=["an advisory lock", "a setting of the transaction", "an insert"],
)
def test_a_select_that_changes_something_is_kept(tmp_path: Path, statement: Executable) -> None:
    assert is_kept("postgres", tmp_path, statement)


@pytest.mark.parametrize("kind", ["sqlite", postgres, mariadb])
def test_a_select_of_functions_that_only_read_is_released(tmp_path: Path, kind: Kind) -> None:
    """A search for an e-mail address in lower case is common."""
    statement = select(func.count(), func.max(THINGS.c.id)).where(func.lower("A") == "a")

    assert not is_kept(kind, tmp_path, statement)
