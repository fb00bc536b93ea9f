"""Tasklane on a database of its own, and the people and programs that use it."""

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


def started(file: Path) -> Flask:
    """Tasklane with its database in that file."""
    app = create_app({"SQLALCHEMY_DATABASE_URI": f"sqlite:///{file}", "SECRET_KEY": SECRET_KEY})
    app.jinja_env.bytecode_cache = COMPILED
    return app


def close(app: Flask) -> None:
    """Give back the database connections."""
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database as the first start leaves it: tables and demo people, made once for all tests."""
    file = tmp_path_factory.mktemp("tasklane") / "tasklane.db"
    close(started(file))
    return file


@pytest.fixture
def tasklane(tmp_path: Path, first_start: Path) -> Iterator[Flask]:
    """The app, as it is after its first start."""
    file = tmp_path / "database" / "tasklane.db"
    file.parent.mkdir()
    shutil.copyfile(first_start, file)
    app = started(file)
    yield app
    close(app)


@pytest.fixture
def lose_database(tasklane: Flask, tmp_path: Path) -> Callable[[], None]:
    """Call it, and the database is away."""

    def lose() -> None:
        with tasklane.app_context():
            db.engine.dispose()
        shutil.rmtree(tmp_path / "database")

    return lose


@pytest.fixture
def stranger(tasklane: Flask) -> Person:
    """A browser in which nobody has signed in."""
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
    """An outside program with a client of its own and no token yet."""
    return Program.registered(tasklane)
