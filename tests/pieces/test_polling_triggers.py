"""Triggers that ask the app: nothing twice, nothing skipped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pieces.conftest import LoadPiece
from tests.support.piece_engine import LoadedPiece, PieceError
from tests.support.piece_host import API, PieceHost, json_of
from tests.support.piece_manifest import text, trigger
from tests.support.raw_server import Received

POLL = f"{API}/triggers/done/poll"


class Events:
    """The host's events, two a page; the cursor is how many were read."""

    def __init__(self, host: PieceHost) -> None:
        self.all: list[dict[str, Any]] = [{"id": "evt_0", "payload": {"n": 0}}]
        host.on_call("POST", POLL, self.answer)

    def emit(self, count: int) -> None:
        first = len(self.all)
        self.all += [{"id": f"evt_{n}", "payload": {"n": n}} for n in range(first, first + count)]

    def answer(self, request: Received) -> None:
        cursor = json_of(request)["cursor"]
        start = len(self.all) if cursor is None else int(cursor)
        page = self.all[start : start + 2]
        request.answer(200, {"data": page, "cursor": str(start + len(page))})


@pytest.fixture
def events(host: PieceHost) -> Events:
    return Events(host)


@pytest.fixture
def piece(load_piece: LoadPiece) -> LoadedPiece:
    return load_piece(triggers=trigger("done", kind="POLLING", props={"project": text("Project")}))


def numbers(items: list[dict[str, Any]]) -> list[int]:
    return [item["n"] for item in items]


def test_events_count_from_when_the_flow_is_enabled(piece: LoadedPiece, events: Events, host: PieceHost) -> None:
    piece.hook("done", "onEnable", {"project": "p"})

    assert json_of(host.last) == {"inputs": {"project": "p"}, "cursor": None}
    assert piece.hook("done", "run") == []


def test_each_event_comes_once_and_in_order(piece: LoadedPiece, events: Events) -> None:
    piece.hook("done", "onEnable")
    events.emit(5)

    first = piece.hook("done", "run")
    events.emit(1)
    second = piece.hook("done", "run")

    assert (numbers(first), numbers(second)) == ([1, 2, 3, 4, 5], [6])
    assert second == [{"n": 6, "_dedupe_key": "evt_6"}]


def test_many_events_are_read_in_several_runs(piece: LoadedPiece, events: Events) -> None:
    """One run has a time limit."""
    piece.hook("done", "onEnable")
    events.emit(30)

    assert numbers(piece.hook("done", "run")) == list(range(1, 21))
    assert numbers(piece.hook("done", "run")) == list(range(21, 31))


def test_page_that_fails_loses_nothing(piece: LoadedPiece, events: Events, host: PieceHost) -> None:
    piece.hook("done", "onEnable")
    events.emit(4)

    def fail_at_the_second_page(request: Received) -> None:
        if json_of(request)["cursor"] == "3":
            request.answer(503, {})
        else:
            events.answer(request)

    host.on_call("POST", POLL, fail_at_the_second_page)
    with pytest.raises(PieceError):
        piece.hook("done", "run")
    host.on_call("POST", POLL, events.answer)

    assert numbers(piece.hook("done", "run")) == [1, 2, 3, 4]


def test_run_of_a_flow_that_was_never_enabled_starts_now(piece: LoadedPiece, events: Events) -> None:
    assert piece.hook("done", "run") == []
    events.emit(1)

    assert numbers(piece.hook("done", "run")) == [1]


def test_subscription_of_the_app_is_named_in_each_call_and_removed(piece: LoadedPiece, host: PieceHost) -> None:
    host.on("POST", POLL, 200, {"data": [], "cursor": "5", "subscription": "sub-1"})
    host.on("DELETE", f"{API}/subscriptions/sub-1", 204, b"")
    piece.hook("done", "onEnable")

    piece.hook("done", "run")
    polled = json_of(host.last)
    piece.hook("done", "onDisable")

    assert polled == {"inputs": {}, "cursor": "5", "subscription": "sub-1"}
    assert (host.last.method, host.last.target) == ("DELETE", f"{API}/subscriptions/sub-1")
    assert piece.store == {}


def test_disabling_what_is_not_enabled_does_nothing(piece: LoadedPiece, host: PieceHost) -> None:
    piece.hook("done", "onDisable")

    assert host.received == []


def test_disabling_never_throws(piece: LoadedPiece) -> None:
    piece.hook("done", "onDisable", settings={"storeFails": True})

    assert piece.logged == ["The subscription was not removed: the store is away"]


def test_other_hooks_do_nothing(piece: LoadedPiece, host: PieceHost) -> None:
    assert piece.hook("done", "onHandshake", payload={"headers": {}}) == {"status": 200}
    piece.hook("done", "onRenew")
    piece.hook("done", "onStart")

    assert host.received == []
