"""The databases of the benchmarks, and the processes that serve them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from . import cpu

NAME = "flask_activepieces_bench"


@dataclass(frozen=True)
class Database:
    """A new, empty database."""

    title: str
    url: str
    #: Queries the server for its processes; None without a server.
    admin: Engine | None = None

    def tasks(self) -> list[Path] | None:
        """The server's threads for this database; None if this machine cannot see them.

        The server's work for other databases does not count.
        """
        if self.admin is None:
            return []
        program, query = _THREAD_QUERIES[self.admin.dialect.name]
        with self.admin.connect() as conn:
            thread_ids = conn.execute(text(query), {"name": NAME}).scalars().all()
        tasks = [cpu.thread(int(thread_id)) for thread_id in thread_ids]
        # The server may run in another container or on another machine.
        return tasks if all(cpu.runs(task, program) for task in tasks) else None


#: The program of a database server, and the query for the threads of a database. PostgreSQL has a process for each
#: connection, MariaDB a thread.
_THREAD_QUERIES = {
    "postgresql": (
        "postgres",
        "SELECT pid FROM pg_stat_activity WHERE datname = :name AND backend_type = 'client backend'",
    ),
    "mysql": ("mariadbd", "SELECT tid FROM information_schema.processlist WHERE db = :name"),
}


@contextmanager
def sqlite() -> Iterator[Database]:
    """An SQLite database in a temporary directory."""
    with TemporaryDirectory() as directory:
        yield Database("SQLite", f"sqlite:///{directory}/bench.sqlite")


@contextmanager
def server(url: str) -> Iterator[Database]:
    """A temporary database on the server of this URL. The database in the URL is used only to connect."""
    server_url = make_url(url)
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    title = {"postgresql": "PostgreSQL"}.get(admin.dialect.name, "MariaDB")
    _recreate(admin)
    try:
        yield Database(title, server_url.set(database=NAME).render_as_string(hide_password=False), admin)
    finally:
        _drop(admin)


def _recreate(admin: Engine) -> None:
    _drop(admin)
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {NAME}"))


def _drop(admin: Engine) -> None:
    force = " WITH (FORCE)" if admin.dialect.name == "postgresql" else ""
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE IF EXISTS {NAME}{force}"))
