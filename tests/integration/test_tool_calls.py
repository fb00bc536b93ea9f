"""The record of tool calls counts exactly, on each database and from many threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from flask_activepieces.mcp.call_log import Outcome
from flask_activepieces.state import get_state
from tests.support import hosts
from tests.support.access_tokens import TOKEN
from tests.support.clock import StoppedClock
from tests.support.databases import MARIADB, POSTGRES, SQLITE, Kind, fresh_database
from tests.support.storage import rows_of


@pytest.fixture(params=[SQLITE, POSTGRES, MARIADB])
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: StoppedClock) -> Iterator[Flask]:
    kind: Kind = request.param
    with fresh_database(kind, tmp_path) as url:
        app = hosts.make_app(tmp_path, database=url, clock=clock)
        try:
            yield app
        finally:
            hosts.dispose(app)


def test_no_call_is_lost_between_threads(app: Flask, clock: StoppedClock) -> None:
    def call(number: int) -> None:
        with app.app_context():
            get_state().tool_calls.record(TOKEN, "create_task", "succeeded" if number % 2 else "rejected")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(60)))
    get_state(app).tool_calls.store()

    rows = rows_of(app, "tool_calls")
    assert sorted((row["outcome"], row["count"]) for row in rows) == [("rejected", 30), ("succeeded", 30)]


def test_old_records_are_pruned(app: Flask, clock: StoppedClock) -> None:
    with app.app_context():
        get_state().tool_calls.record(TOKEN, "create_task", "succeeded")
        clock.advance(days=401)
        get_state().tool_calls.record(TOKEN, "create_task", "succeeded")

    app.test_cli_runner().invoke(args=["activepieces", "prune"])

    assert [row["first_at"] for row in rows_of(app, "tool_calls")] == [int(clock.now)]


def test_calls_are_summed_for_each_tool_and_caller(app: Flask, clock: StoppedClock) -> None:
    """On each database: they differ in what a sum is, and in what a group may contain."""
    outcomes: list[Outcome] = ["succeeded", "succeeded", "rejected", "failed", "denied"]
    with app.app_context():
        for outcome in outcomes:
            get_state().tool_calls.record(TOKEN, "create_task", outcome)
        clock.advance(60)
        get_state().tool_calls.record(replace(TOKEN, user_id="carol"), "create_task", "succeeded")
        get_state().tool_calls.store()
        overview = get_state().call_overview
        (tool,) = overview.recent("acme")
        callers = overview.callers("acme")
        others = overview.recent("globex"), overview.callers("globex")

    assert (tool.calls, tool.failed, tool.denied, tool.last_at) == (6, 2, 1, int(clock.now))
    assert [(each.user_id, each.tool.calls, each.tool.failed, each.tool.denied) for each in callers] == [
        ("carol", 1, 0, 0),
        (TOKEN.user_id, 5, 2, 1),
    ]
    assert [list(each) for each in others] == [[], []]
