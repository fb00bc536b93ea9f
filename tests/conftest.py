"""Fixtures for every test: a small host app, a clock, people and an OAuth client."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.dialects import registry

from tests.support import hosts, requirements, speedups
from tests.support.actors import Person, Program
from tests.support.clock import StoppedClock

pytest_plugins = ["flask_activepieces.testing.plugin", "tests.support.chromium"]

MakeApp = Callable[..., Flask]

Flask.url_rule_class = speedups.LazyRule
registry.register("sqlite", speedups.__name__, speedups.CachingSQLite.__name__)
event.listen(Engine, "connect", speedups.disable_sqlite_sync)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    with speedups.garbage_collection_disabled():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Reject tests that share a name: pytest-xdist silently runs only one of them."""
    for name, number in Counter(item.nodeid for item in items).items():
        if number > 1:
            raise pytest.UsageError(f"{number} tests have the name {name}")


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Override pytest-flask, which would keep a request context, and with it flask.g, open during the whole test."""


@pytest.fixture(scope="session", autouse=True)
def _empty_environment() -> Iterator[None]:
    """Hide the environment variables of this machine from the apps."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY") or name.startswith("ACTIVEPIECES_"):
                patch.delenv(name)
        yield


@pytest.fixture
def clock() -> StoppedClock:
    """A clock that moves only when the test advances it."""
    return StoppedClock()


@pytest.fixture
def make_app(tmp_path: Path, clock: StoppedClock) -> Iterator[MakeApp]:
    """A factory for small host apps; keyword arguments are config keys."""
    made: list[Flask] = []

    def make(**options: Any) -> Flask:
        made.append(hosts.make_app(tmp_path, **({"clock": clock} | options)))
        return made[-1]

    yield make
    for app in made:
        hosts.dispose(app)


@pytest.fixture(scope="module")
def make_shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeApp]:
    """A factory for apps that the tests of a file share, because none of them depends on what the others stored."""
    made: list[Flask] = []

    def make(**options: Any) -> Flask:
        made.append(hosts.make_app(tmp_path_factory.mktemp("app"), **options))
        return made[-1]

    yield make
    for app in made:
        hosts.dispose(app)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """A small host app on SQLite."""
    return make_app()


@pytest.fixture
def alice(app: Flask) -> Person:
    """An admin of Acme with a second workspace, signed in."""
    return Person(app, "alice")


@pytest.fixture
def bob(app: Flask) -> Person:
    """A member of Acme, signed in."""
    return Person(app, "bob")


@pytest.fixture
def carol(app: Flask) -> Person:
    """An admin of Globex, signed in."""
    return Person(app, "carol")


@pytest.fixture
def stranger(app: Flask) -> Person:
    """A person who is not signed in."""
    return Person(app)


@pytest.fixture
def program(app: Flask) -> Program:
    """A confidential client registered for every scope."""
    return Program.registered(app)


@pytest.fixture
def trusted(app: Flask) -> Program:
    """A confidential client that skips the consent page for scopes that the user approved before."""
    return Program.registered(app, "--remember-consent")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    requirements.summarise_missing(terminalreporter)
