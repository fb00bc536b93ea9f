"""The databases. Each benchmark creates and drops its own, and finds the processes that serve it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from . import cpu

NAME = "flask_activepieces_bench"


@dataclass(frozen=True)
class Database:
    """One empty database."""

    title: str
    url: str
    #: Where to ask for the processes of a database server; None when there is no server.
    admin: Engine | None = None

    def tasks(self) -> list[Path] | None:
        """The threads that serve connections to this database; None if they are not visible.

        Only those: what the server does for other databases meanwhile is not ours.
        """
        if self.admin is None:
            return []
        program, query = _CONNECTIONS[self.admin.dialect.name]
        with self.admin.connect() as connection:
            found = connection.execute(text(query), {"name": NAME}).scalars().all()
        tasks = [cpu.thread(int(thread)) for thread in found]
        # The server may have said the numbers of another container, or of another machine.
        return tasks if all(cpu.is_of(task, program) for task in tasks) else None


#: The program of a database server, and how to ask it for the threads that serve one database: PostgreSQL has a
#: process for each connection, MariaDB a thread.
_CONNECTIONS = {
    "postgresql": (
        "postgres",
        "SELECT pid FROM pg_stat_activity WHERE datname = :name AND backend_type = 'client backend'",
    ),
    "mysql": ("mariadbd", "SELECT tid FROM information_schema.processlist WHERE db = :name"),
}


@contextmanager
def sqlite() -> Iterator[Database]:
    """A file in a new directory."""
    with TemporaryDirectory() as directory:
        yield Database("SQLite", f"sqlite:///{directory}/bench.sqlite")


@contextmanager
def server(url: str) -> Iterator[Database]:
    """A new database on the server of this URL, next to the one that it names."""
    place = make_url(url)
    admin = create_engine(place, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    title = {"postgresql": "PostgreSQL"}.get(admin.dialect.name, "MariaDB")
    _recreate(admin)
    try:
        yield Database(title, _text(place.set(database=NAME)), admin)
    finally:
        _drop(admin)


def _recreate(admin: Engine) -> None:
    _drop(admin)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {NAME}"))


def _drop(admin: Engine) -> None:
    force = " WITH (FORCE)" if admin.dialect.name == "postgresql" else ""
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {NAME}{force}"))


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
