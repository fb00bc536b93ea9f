"""The store: JSON documents in one SQLite table, with encrypted secrets."""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import Any

from cryptography.fernet import Fernet

from ...clock import Clock
from .routing.responses import Json, Row, database_error, timestamp

_LETTERS = string.digits + string.ascii_letters

_SCHEMA = """
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS documents (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_kind ON documents (kind, place);
"""


def new_id(length: int = 21) -> str:
    """An id in Activepieces' format: 21 digits and letters."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


class Store:
    """Rows by kind ("project", "connection", …). Each has ``id``, ``created`` and ``updated``. Thread-safe."""

    def __init__(self, database: str | Path = ":memory:", *, clock: Clock) -> None:
        self._clock = clock
        self._lock = RLock()
        self._fernet = Fernet(_key_for(database))
        self._open_connection = sqlite3.connect(str(database), check_same_thread=False, isolation_level=None)
        self._open_connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database; a file keeps its rows."""
        with self._lock:
            self._open_connection.close()

    def now(self) -> str:
        """The current time in the format of ``created`` and ``updated``."""
        return timestamp(self._clock())

    def add(self, kind: str, fields: Row) -> Row:
        """Insert a row; ``id``, ``created`` and ``updated`` have defaults."""
        now = self.now()
        row = {"id": new_id(), "created": now, "updated": now, **fields}
        self._execute("INSERT INTO documents (kind, id, body) VALUES (?, ?, ?)", kind, row["id"], _text(row))
        return row

    def get(self, kind: str, row_id: str | None) -> Row | None:
        """The row with that id, or None."""
        rows = self._execute("SELECT body FROM documents WHERE kind = ? AND id = ?", kind, row_id)
        return json.loads(rows[0][0]) if rows else None

    def all(self, kind: str, where: Callable[[Row], bool] | None = None, **equal: str | bool | None) -> list[Row]:
        """The rows with these field values for which ``where`` is true, in the order of creation."""
        conditions = "".join(f" AND json_extract(body, '$.{field}') IS ?" for field in equal)
        rows = self._execute(
            "SELECT body FROM documents WHERE kind = ?" + conditions + " ORDER BY place",  # noqa: S608 - names from our own code
            kind,
            *equal.values(),
        )
        rows = [json.loads(body) for (body,) in rows]
        rows = rows if where is None else list(filter(where, rows))
        return sorted(rows, key=lambda row: row["created"])  # stable: the position decides among equals

    def first(self, kind: str, **equal: str | bool | None) -> Row | None:
        """The oldest row with these field values, or None."""
        return next(iter(self.all(kind, None, **equal)), None)

    def change(self, kind: str, row_id: str, **fields: Json) -> Row:
        """Set fields of a row, and ``updated``; returns the updated row."""
        with self._lock:
            row = self.get(kind, row_id)
            assert row is not None, f"no {kind} has this id"
            row |= {"updated": self.now(), **fields}
            self._execute("UPDATE documents SET body = ? WHERE id = ?", _text(row), row_id)
            return row

    def drop(self, kind: str, row_id: str) -> bool:
        """Delete a row; returns whether it existed."""
        return bool(self._execute("DELETE FROM documents WHERE kind = ? AND id = ? RETURNING id", kind, row_id))

    def snapshot(self) -> list[tuple[Any, ...]]:
        """All rows, for `restore`."""
        return self._execute("SELECT kind, id, body FROM documents ORDER BY place")

    def restore(self, snapshot: list[tuple[Any, ...]]) -> None:
        """Replace all rows by those of a snapshot."""
        with self._lock:
            self._execute("DELETE FROM documents")
            self._open_connection.executemany("INSERT INTO documents (kind, id, body) VALUES (?, ?, ?)", snapshot)

    def encrypt(self, value: Json) -> str:
        """Encrypt a value, so that it may be stored in a row."""
        return self._fernet.encrypt(json.dumps(value).encode()).decode()

    def decrypt(self, sealed: str) -> Json:
        """The value that `encrypt` encrypted."""
        return json.loads(self._fernet.decrypt(sealed.encode()))

    def _execute(self, statement: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._open_connection.execute(statement, values).fetchall()


def _text(row: Row) -> str:
    """The row as JSON. NUL is rejected as by PostgreSQL, which real servers use."""
    payload = json.dumps(row)
    if "\\u0000" in payload:
        raise database_error('invalid byte sequence for encoding "UTF8": 0x00', code="22021")
    return payload


def _key_for(database: str | Path) -> bytes:
    """A new key for a database in memory; for a file, the key stored next to it."""
    if str(database) == ":memory:":
        return Fernet.generate_key()
    path = Path(f"{database}.key")
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(Fernet.generate_key())
    return path.read_bytes()
