"""Flask-Migrate in a temporary project detects our tables, and finds no difference after the migration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect

from flask_activepieces import Activepieces
from flask_activepieces.storage import tables
from tests.support import hosts
from tests.support.databases import Kind, fresh_database
from tests.support.storage import engine_of

# Flask-Migrate's env.py gets the engine with the API of Flask-SQLAlchemy 2.
pytestmark = pytest.mark.filterwarnings("ignore:'get_engine' is deprecated:DeprecationWarning")

OURS = {table.name for table in tables.metadata.sorted_tables}


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An app with an empty database and no migrations."""
    # Alembic's env.py would configure logging for the whole process.
    monkeypatch.setattr("logging.config.fileConfig", lambda *_, **__: None)
    kind: Kind = request.param
    with fresh_database(kind, tmp_path) as url:
        app = Flask(__name__)
        app.config.update(SECRET_KEY=hosts.SECRET_KEY, SQLALCHEMY_DATABASE_URI=url, ACTIVEPIECES_SCOPES=hosts.SCOPES)
        db = SQLAlchemy(app)
        Activepieces(hosts.SmallHost()).init_app(app)
        flask_migrate.Migrate(app, db, directory=str(tmp_path / "migrations"))
        with app.app_context():
            flask_migrate.init()
            yield app
            db.engine.dispose()


def table_names(app: Flask) -> set[str]:
    return set(inspect(engine_of(app)).get_table_names()) - {"alembic_version"}


def test_autogenerate_upgrade_and_downgrade(project: Flask, tmp_path: Path) -> None:
    flask_migrate.migrate(message="Activepieces")
    assert table_names(project) == set()

    flask_migrate.upgrade()
    assert table_names(project) == OURS

    flask_migrate.migrate(message="Nothing left to do")
    assert len(list((tmp_path / "migrations" / "versions").glob("*.py"))) == 1

    flask_migrate.downgrade(revision="base")
    assert table_names(project) == set()
