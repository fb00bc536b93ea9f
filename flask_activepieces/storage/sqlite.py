"""SQLite: writers that wait for each other, and write-ahead logging where it may be switched on."""

from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger(__name__)

#: Seconds that a writer waits for another.
BUSY_TIMEOUT = 10


class SqliteSetup:
    """Sets up each new connection.

    With write-ahead logging readers do not block the writer, and a second writer waits instead of failing. The mode
    is a property of the file: ``wal`` says whether to switch it on; None does so in a new file only.
    """

    def __init__(self, *, wal: bool | None) -> None:
        self._wal = wal
        self._has_warned = False

    def __call__(self, connection: Any, _: Any) -> None:
        """To be called with each connection of the driver."""
        (busy_timeout,) = connection.execute("PRAGMA busy_timeout").fetchone()
        if busy_timeout < BUSY_TIMEOUT * 1000:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000}")
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode in ("wal", "memory"):
            return
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        is_new = pages == 0
        if self._wal or (self._wal is None and is_new):
            connection.execute("PRAGMA journal_mode = WAL")
        elif self._wal is None and not self._has_warned:
            self._has_warned = True
            log.warning(
                "The SQLite database is in journal mode %s, in which readers and writers block each other."
                " Set ACTIVEPIECES_SQLITE_WAL to True to switch on write-ahead logging, or to False to keep it.",
                mode,
            )
