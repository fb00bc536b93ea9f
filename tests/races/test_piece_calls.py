"""Simultaneous calls of the piece on every database: an action acts once, and polling skips and repeats nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from tests.support import hosts
from tests.support.actors import Person, answer_of
from tests.support.databases import MARIADB, POSTGRES, fresh_database
from tests.support.pieces import Effects, Flow, create_token, emit, make_piece_app

THREADS = 8


@pytest.fixture(params=["sqlite", POSTGRES, MARIADB])
def piece(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Flask, Effects]]:
    with fresh_database(request.param, tmp_path) as url:
        app, effects = make_piece_app(lambda **options: hosts.make_app(tmp_path, database=url, **options))
        yield app, effects
        hosts.dispose(app)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


@pytest.fixture
def effects(piece: tuple[Flask, Effects]) -> Effects:
    return piece[1]


@pytest.fixture
def flow(app: Flask) -> Flow:
    return Flow(app, create_token(Person(app, "bob")))


def test_of_many_simultaneous_calls_with_one_key_one_acts(flow: Flow, effects: Effects) -> None:
    keys = [f"run-{number}:step" for number in range(6)]

    def call(key: str) -> int:
        return flow.runs("create_task", {"title": key}, key=key).status_code

    with ThreadPoolExecutor(THREADS) as threads:
        statuses = Counter(threads.map(call, keys * THREADS))

    assert Counter(effects.created) == Counter(keys)
    assert set(statuses) <= {200, 409}
    assert {call(key) for key in keys} == {200}
    assert Counter(effects.created) == Counter(keys)


def test_events_that_are_emitted_while_a_flow_polls_come_once_and_in_order(
    app: Flask, flow: Flow, effects: Effects
) -> None:
    """The id of an event may be smaller than that of one committed before it."""
    cursor = answer_of(flow.polls())["cursor"]
    trigger, seen = effects.triggers["task_done"], list[str]()

    def work(worker: int) -> None:
        for number in range(10):
            emit(app, trigger, f"{worker} {number} a", f"{worker} {number} b")

    with ThreadPoolExecutor(4) as threads:
        workers = [threads.submit(work, worker) for worker in range(4)]
        while True:
            is_last = all(each.done() for each in workers)
            body = answer_of(flow.polls(cursor=cursor))
            seen += [event["payload"]["title"] for event in body["data"]]
            cursor = body["cursor"]
            if is_last and not body["data"]:
                break
        for each in workers:
            each.result()

    assert sorted(seen) == sorted(f"{worker} {n} {part}" for worker in range(4) for n in range(10) for part in "ab")
    for worker in range(4):
        own = [title for title in seen if title.startswith(f"{worker} ")]
        assert own == [f"{worker} {number} {part}" for number in range(10) for part in "ab"]
