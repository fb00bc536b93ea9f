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

SECRET_KEY = "a key for tests, not for you"


@pytest.fixture
def tasklane(tmp_path: Path) -> Iterator[Flask]:
    """The app, as it is after its first start."""
    (tmp_path / "database").mkdir()
    url = f"sqlite:///{tmp_path / 'database' / 'tasklane.db'}"
    app = create_app({"SQLALCHEMY_DATABASE_URI": url, "SECRET_KEY": SECRET_KEY})
    yield app
    with app.app_context():
        db.engine.dispose()


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
