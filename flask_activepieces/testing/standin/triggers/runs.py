"""Starts runs: the trigger makes items of a request or of a poll, and each new item starts a run."""

from __future__ import annotations

import logging

from ..flows.flow_engine import Outcome
from ..flows.rows import published_version
from ..flows.runs import execute
from ..pieces.piece import StepFailed
from ..routing.responses import Json, Row
from ..state import ServerState
from .hooks import call_hook, trigger_of

_SEEN = "seen_item"
_DEDUPE_KEY = "_dedupe_key"
#: Seconds during which a second item with the same key starts no run.
_DEDUPE_SECONDS = 30
_log = logging.getLogger("flask_activepieces.testing.pieces")


def run_now(state: ServerState, flow: Row, payload: Row) -> Outcome:
    """Run the published version for a request whose caller waits: for the first item only."""
    items = _items(state, flow, payload)[:1]
    return execute(state, flow, items[0]) if items else Outcome()


def run_in_background(state: ServerState, flow: Row, payload: Row) -> None:
    """Run the published version for a request without waiting for it."""
    state.jobs.start(lambda: start_runs(state, flow, payload))


def start_runs(state: ServerState, flow: Row, payload: Row) -> int:
    """Run the published version for each item; returns how many runs there were."""
    items = _items(state, flow, payload)
    for item in items:
        execute(state, flow, item)
    return len(items)


def _items(state: ServerState, flow: Row, payload: Row) -> list[Json]:
    """The new items of the trigger. Without a worker, or if the piece fails, there are none."""
    version = published_version(state, flow)
    if version is None or not state.has_worker:
        return []
    found = trigger_of(state, version)
    try:
        items = call_hook(state, flow, found, found.trigger.run, payload=payload)
        if not isinstance(items, list):
            raise StepFailed("TypeError", "payloads.map is not a function")
    except StepFailed as error:
        _log.warning("The trigger of flow %s failed: %s", flow["id"], error)
        return []
    return [_without_key(item) for item in items if _is_new(state, version, item)]


def _is_new(state: ServerState, version: Row, item: Json) -> bool:
    key = item.get(_DEDUPE_KEY) if isinstance(item, dict) else None
    if key is None:
        return True
    now, full_key = state.clock(), f"{version['id']}:{key}"
    with state.lock:
        seen = state.store.first(_SEEN, key=full_key)
        if seen is not None and now < seen["until"]:
            return False
        if seen is not None:
            state.store.drop(_SEEN, seen["id"])
        state.store.add(_SEEN, {"key": full_key, "until": now + _DEDUPE_SECONDS})
    return True


def _without_key(item: Json) -> Json:
    return {name: value for name, value in item.items() if name != _DEDUPE_KEY} if isinstance(item, dict) else item
