"""The database: reachable, with all tables and columns, and with the right time."""

from __future__ import annotations

from collections.abc import Sequence

from ...clock import CLOCK_SKEW
from ...errors import Unavailable
from ...state import State
from ...storage.schema import SchemaGaps, database_time, find_gaps, journal_mode
from ..findings import Findings, Kind

UNREACHABLE = Kind("database-unreachable", "error", "Pages and endpoints return 503.")
TABLES = Kind("tables-missing", "error", "Pages and endpoints return 500.")
COLUMNS = Kind("columns-missing", "error", "Pages and endpoints return 500.")
KEYS = Kind(
    "keys-missing", "error", "Two simultaneous requests can create two rows where there must be one, such as a grant."
)
INDEXES = Kind("indexes-missing", "warning", "Requests become slow as the tables grow.")
COLLATIONS = Kind(
    "collation", "error", "The database takes two different ids for one, such as those of the tenants acme and ACME."
)
CLOCK = Kind("clock", "error", "Codes and tokens expire too early or too late, and events are delivered late.")
JOURNAL = Kind("sqlite-journal", "warning", "Readers and writers block each other.")

_MIGRATE = "Run your migrations: flask db migrate and flask db upgrade. Without migrations: db.create_all()."
_ALTER = "Run your migrations: flask db migrate and flask db upgrade. create_all() does not change existing tables."


def check_database(state: State) -> Findings:
    """The database can be used. After an error of these kinds, no other check of the data is possible."""
    try:
        gaps = find_gaps(state.database)
    except Unavailable as error:
        yield UNREACHABLE.found(str(error), "Start the database, and check SQLALCHEMY_DATABASE_URI.")
        return
    yield from _gaps(gaps)
    difference = state.now() - database_time(state.database)
    if abs(difference) > CLOCK_SKEW:
        direction = "ahead of" if difference > 0 else "behind"
        yield CLOCK.found(
            f"The clock of this machine is {abs(difference)} seconds {direction} that of the database.",
            "Synchronize the clocks of all machines, with NTP.",
        )
    mode = journal_mode(state.database)
    if mode not in (None, "wal", "memory") and state.settings.sqlite_wal is None:
        yield JOURNAL.found(
            f"The SQLite database is in journal mode {mode}.",
            "Set ACTIVEPIECES_SQLITE_WAL to True to switch on write-ahead logging, or to False to keep the mode.",
        )


def _gaps(gaps: SchemaGaps) -> Findings:
    for kind, noun, names, remedy in (
        (TABLES, "tables", gaps.tables, _MIGRATE),
        (COLUMNS, "columns", gaps.columns, _ALTER),
        (KEYS, "unique constraints", gaps.keys, _ALTER),
        (INDEXES, "indexes", gaps.indexes, _ALTER),
    ):
        if names:
            yield kind.found(f"The database lacks {noun}: {_listed(names)}.", remedy)
    if gaps.collations:
        yield COLLATIONS.found(
            f"These columns compare letters without case: {_listed(gaps.collations)}.",
            "Change their collation to utf8mb4_bin with a migration.",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
