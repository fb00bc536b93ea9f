"""Starting Tasklane: environment, secret key, and several workers on an empty database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, select, text, update

from example_app import create_app
from example_app.config import config_from, stored_secret_key, with_driver
from example_app.models import Company, Task, User, db
from tests.example_app.conftest import SECRET_KEY
from tests.support.requirements import Name, require

WORKERS = 4
#: Forks workers from a process that has imported everything, so that they start within a millisecond.
START_WORKERS = f"""
import os
from example_app import create_app

workers = []
for _ in range({WORKERS}):
    if (worker := os.fork()) == 0:
        create_app()
        os._exit(0)
    workers.append(worker)
raise SystemExit(any(os.waitpid(worker, 0)[1] for worker in workers))
"""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p@db/name", "postgresql+psycopg://u:p@db/name"),
        ("postgresql://db/name", "postgresql+psycopg://db/name"),
        ("postgresql+psycopg2://db/name", "postgresql+psycopg2://db/name"),
        ("mysql://db/name", "mysql+pymysql://db/name"),
        ("mariadb://db/name", "mariadb+pymysql://db/name"),
        ("sqlite:////data/name.db", "sqlite:////data/name.db"),
    ],
)
def test_database_url_gets_the_driver(url: str, expected: str) -> None:
    assert with_driver(url) == expected


def test_environment_is_read() -> None:
    config = config_from(
        {
            "DATABASE_URL": "postgres://db/name",
            "REDIS_URL": "redis://cache",
            "SECRET_KEY": "secret",
            "ACTIVEPIECES_PUBLIC_URL": "https://tasks.example.com",
            "ACTIVEPIECES_SCOPES": "",
            "HOME": "/somewhere",
        }
    )

    assert config == {
        "SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://db/name",
        "ACTIVEPIECES_REDIS_URL": "redis://cache",
        "SECRET_KEY": "secret",
        "ACTIVEPIECES_PUBLIC_URL": "https://tasks.example.com",
    }


def test_redis_url_of_the_extension_takes_precedence() -> None:
    config = config_from({"REDIS_URL": "redis://a", "ACTIVEPIECES_REDIS_URL": "redis://b"})

    assert config == {"ACTIVEPIECES_REDIS_URL": "redis://b"}


def test_session_cookie_is_secure_with_https(tmp_path: Path) -> None:
    app = create_app(
        {
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'tasklane.db'}",
            "SECRET_KEY": SECRET_KEY,
            "ACTIVEPIECES_PUBLIC_URL": "https://tasks.example.com",
        }
    )
    with app.app_context():
        db.engine.dispose()

    assert app.config["SESSION_COOKIE_SECURE"] is True


def test_workers_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        keys = set(threads.map(stored_secret_key, [tmp_path / "instance"] * 64))

    (key,) = keys
    assert len(key) == 64
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret_key"]
    assert (tmp_path / "instance" / "secret_key").stat().st_mode & 0o077 == 0


def test_second_start_does_not_change_data(tmp_path: Path) -> None:
    config = {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'tasklane.db'}", "SECRET_KEY": SECRET_KEY}
    first = create_app(config)
    with first.app_context():
        db.session.execute(update(Task).values(title="Changed"))
        db.session.commit()
        db.engine.dispose()

    second = create_app(config)

    with second.app_context():
        assert set(db.session.scalars(select(Task.title))) == {"Changed"}
        assert count_rows() == {"companies": 3, "users": 3, "tasks": 6}
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.long]),
        pytest.param("mariadb", marks=[pytest.mark.mariadb, pytest.mark.long]),
    ]
)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'tasklane.db'}"
        return
    name: Name = request.param
    server = create_engine(require(name), isolation_level="AUTOCOMMIT")
    database = f"tasklane_{uuid4().hex}"
    with server.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {database}"))
        yield make_url(require(name)).set(database=database).render_as_string(hide_password=False)
        conn.execute(text(f"DROP DATABASE {database}"))
    server.dispose()


def test_workers_can_start_together_on_an_empty_database(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)

    subprocess.run([sys.executable, "-c", START_WORKERS], check=True, timeout=60)

    app = create_app()
    with app.app_context():
        assert count_rows() == {"companies": 3, "users": 3, "tasks": 6}
        db.session.remove()
        db.engine.dispose()


def count_rows() -> dict[str, int]:
    models = {"companies": Company, "users": User, "tasks": Task}
    return {name: len(db.session.scalars(select(model)).all()) for name, model in models.items()}
