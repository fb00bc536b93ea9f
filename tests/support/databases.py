"""Temporary databases of all three kinds, for a test or a test module."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from .requirements import Name, require

Kind = Literal["sqlite", "postgres", "mariadb"]

#: For tests that take minutes.
SQLITE = pytest.param("sqlite", marks=pytest.mark.long)
POSTGRES = pytest.param("postgres", marks=[pytest.mark.long, pytest.mark.postgres])
MARIADB = pytest.param("mariadb", marks=[pytest.mark.long, pytest.mark.mariadb])

_SERVERS: dict[Kind, Name] = {"postgres": "postgres", "mariadb": "mariadb"}


@contextmanager
def fresh_database(kind: Kind, directory: Path) -> Iterator[str]:
    """The URL of a new, empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'fresh.sqlite'}"
        return
    server = make_url(require(_SERVERS[kind]))
    name = f"activepieces_test_{secrets.token_hex(6)}"
    _execute(server, f"CREATE DATABASE {name}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        # Without FORCE, PostgreSQL refuses while someone is connected.
        _execute(server, f"DROP DATABASE {name}" + (" WITH (FORCE)" if kind == "postgres" else ""))


def _execute(server: URL, statement: str) -> None:
    engine = create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
