"""One writer at a time: whoever finds SQLite locked waits a while, and is then told to come again."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Timer

import pytest

from flask_activepieces.storage.sqlite import BUSY_TIMEOUT
from tests.support.scenes import Scene, open_scene, told
from tests.support.shots import call, redemption, refresh
from tests.support.storage import engine_of

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with open_scene("sqlite", tmp_path_factory.mktemp("locked"), workers=3) as scene:
        yield scene


def test_a_lock_that_is_given_back_in_time_costs_only_time(scene: Scene) -> None:
    program = scene.program()
    pair = scene.connect(program, scene.person())

    with locked(scene) as lock:
        Timer(1, lock.rollback).start()
        answer = scene.ask(refresh(program, pair["refresh_token"]))

    scene.assert_alive(program, answer.json)


def test_a_lock_that_is_kept_is_told_in_time_and_burns_nothing(scene: Scene) -> None:
    """In time: gunicorn kills a worker that is silent for 30 seconds, and Activepieces waits no longer."""
    program, bob = scene.program(), scene.person()
    pair = scene.connect(program, bob)
    shots = [
        redemption(program, scene.code(program, bob)),
        refresh(program, pair["refresh_token"]),
    ]

    with locked(scene):
        started = time.monotonic()
        answers = scene.fire([*shots, call(pair["access_token"])])
        seconds = time.monotonic() - started

    assert told(answers) == {(503, "temporarily_unavailable"): 2, (200, None): 1}
    assert seconds < 2 * BUSY_TIMEOUT
    assert told(scene.fire(shots)) == {(200, None): 2}


@contextmanager
def locked(scene: Scene) -> Iterator[sqlite3.Connection]:
    """Another program writes, and does not come to an end."""
    path = Path(str(engine_of(scene.app).url.database))
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        yield lock
