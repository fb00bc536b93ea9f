"""When calls of tools are stored: the first of an hour at once, further ones together."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from flask_activepieces.errors import Unavailable
from flask_activepieces.mcp.call_log import STORE_SECONDS, CallLog
from flask_activepieces.storage.audit import Audit
from tests.support.access_tokens import TOKEN
from tests.support.clock import StoppedClock


class MemoryDatabase:
    """What a call log asks of a database."""

    dialect = "sqlite"

    def __init__(self) -> None:
        self.written: list[tuple[str, int]] = []
        self.is_away = False

    def write(self, statement: Any, values: Any) -> int:
        if self.is_away:
            raise Unavailable("database")
        self.written.append((values["outcome"], values["count"]))
        return 1


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def calls(database: MemoryDatabase, clock: StoppedClock) -> CallLog:
    made: Any = database
    return CallLog(made, audit=Audit(sender=None), clock=clock)


def test_the_first_call_is_stored_at_once(calls: CallLog, database: MemoryDatabase) -> None:
    calls.record(TOKEN, "a", "succeeded")
    calls.record(TOKEN, "a", "failed")

    assert database.written == [("succeeded", 1), ("failed", 1)]


def test_further_calls_are_stored_together(calls: CallLog, database: MemoryDatabase, clock: StoppedClock) -> None:
    for _ in range(5):
        calls.record(TOKEN, "a", "succeeded")
    assert database.written == [("succeeded", 1)]

    clock.advance(STORE_SECONDS)
    calls.record(TOKEN, "a", "succeeded")

    assert database.written == [("succeeded", 1), ("succeeded", 5)]


def test_what_is_left_is_stored_when_the_worker_ends(calls: CallLog, database: MemoryDatabase) -> None:
    for _ in range(3):
        calls.record(TOKEN, "a", "succeeded")

    calls.store()
    calls.store()

    assert database.written == [("succeeded", 1), ("succeeded", 2)]


def test_another_hour_begins_another_row(calls: CallLog, database: MemoryDatabase, clock: StoppedClock) -> None:
    calls.record(TOKEN, "a", "succeeded")
    calls.record(TOKEN, "a", "succeeded")
    clock.advance(hours=1)
    calls.record(TOKEN, "a", "succeeded")

    assert database.written == [("succeeded", 1), ("succeeded", 1), ("succeeded", 1)]


def test_a_missing_database_stops_no_call(
    calls: CallLog, database: MemoryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    database.is_away = True

    with caplog.at_level(logging.WARNING):
        calls.record(TOKEN, "a", "succeeded")

    assert caplog.messages == ["1 calls of the tool a were not recorded: The database is currently unavailable."]
