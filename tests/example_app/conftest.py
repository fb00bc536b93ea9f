"""Tasklane on its own database, and the people and programs that use it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from example_app import create_app
from example_app.models import db
from tests.example_app.actors import Person, Program
from tests.support.templates import COMPILED

SECRET_KEY = "a key for tests, not for you"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the tests of schemathesis unless they run: all are long, and listing them takes a second."""
    is_listed_in_vain = collection_path.name == "test_schemathesis.py" and config.option.markexpr == "not long"
    return True if is_listed_in_vain else None


def start(file: Path) -> Flask:
    """Tasklane with its database in this file."""
    app = create_app({"SQLALCHEMY_DATABASE_URI": f"sqlite:///{file}", "SECRET_KEY": SECRET_KEY})
    app.jinja_env.bytecode_cache = COMPILED
    return app


def close(app: Flask) -> None:
    """Close the database connections."""
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database after the first start, with tables and demo users; created once for all tests."""
    file = tmp_path_factory.mktemp("tasklane") / "tasklane.db"
    close(start(file))
    return file


@pytest.fixture
def tasklane(tmp_path: Path, first_start: Path) -> Iterator[Flask]:
    """The app after its first start."""
    file = tmp_path / "database" / "tasklane.db"
    file.parent.mkdir()
    shutil.copyfile(first_start, file)
    app = start(file)
    yield app
    close(app)


@pytest.fixture
def lose_database(tasklane: Flask, tmp_path: Path) -> Callable[[], None]:
    """A function that makes the database unavailable."""

    def lose() -> None:
        with tasklane.app_context():
            db.engine.dispose()
        shutil.rmtree(tmp_path / "database")

    return lose


@pytest.fixture
def visitor(tasklane: Flask) -> Person:
    """A signed-out visitor."""
    return Person(tasklane)


@pytest.fixture
def ada(tasklane: Flask) -> Person:
    """The admin of Acme and Acme Labs, signed in."""
    return Person(tasklane, "admin@acme.test")


@pytest.fixture
def milo(tasklane: Flask) -> Person:
    """A member of Acme, signed in."""
    return Person(tasklane, "member@acme.test")


@pytest.fixture
def gwen(tasklane: Flask) -> Person:
    """The admin of Globex, signed in."""
    return Person(tasklane, "admin@globex.test")


@pytest.fixture
def program(tasklane: Flask) -> Program:
    """A program with an OAuth client and no token yet."""
    return Program.register(tasklane)
