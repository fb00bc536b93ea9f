"""What it costs to list 1,000 connections, beside a bare call of requests that gets and reads the same answer."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.resources.resource import ALL

from .canned import CONNECTIONS

TARGET = 1.15
_ROOT = Path(__file__).parents[1]
_KEY = "sk-benchmark"
_PROJECT = "H4SMHoAgJs8TNlXiaOIoV"


@dataclass(frozen=True)
class Listing:
    """Milliseconds of CPU of the calling process a list, medians of rounds; the server's are not counted."""

    floor_ms: float
    listed_ms: float
    #: Listed, and every connection of it touched.
    read_ms: float
    ratio: float
    spread: tuple[float, float]
    read_ratio: float
    target: float = TARGET

    @property
    def met(self) -> bool:
        """Whether a list stays within its target."""
        return self.ratio <= self.target


def measure_listing(rounds: int, *, lists: int = 20) -> Listing:
    """The bare call, the client's list, and the list read through, in turn; ``lists`` of each make a round."""
    with _served() as url:
        client = ActivepiecesClient(url, _KEY)
        works = (_bare(url), lambda: _list(client), lambda: _read(client))
        _round(works, lists)
        gc.freeze()  # what is there already needs no looking through after every call
        timed = [_round(works, lists) for _ in range(rounds)]
        gc.unfreeze()
    ratios = [listed / floor for floor, listed, _ in timed]
    floor_ms, listed_ms, read_ms = (median(column) for column in zip(*timed, strict=True))
    return Listing(
        floor_ms=floor_ms,
        listed_ms=listed_ms,
        read_ms=read_ms,
        ratio=median(ratios),
        spread=(min(ratios), max(ratios)),
        read_ratio=median(read / floor for floor, _, read in timed),
    )


def _bare(url: str) -> Callable[[], None]:
    """The cheapest that requests can do: a session, whose connection is kept."""
    session = requests.Session()
    query: dict[str, str | int] = {"projectId": _PROJECT, "limit": ALL}

    def work() -> None:
        answer = session.get(
            f"{url}/api/v1/app-connections",
            params=query,
            headers={"Authorization": f"Bearer {_KEY}"},
            timeout=30,
        )
        assert len(json.loads(answer.content)["data"]) == CONNECTIONS

    return work


def _list(client: ActivepiecesClient) -> None:
    assert len(client.connections.list(_PROJECT)) == CONNECTIONS


def _read(client: ActivepiecesClient) -> None:
    assert all(connection.owner for connection in client.connections.list(_PROJECT))


def _round(works: Sequence[Callable[[], None]], times: int) -> tuple[float, ...]:
    """Milliseconds of each; after every single call it is the next one's turn."""
    spent = [0.0] * len(works)
    for _ in range(times):
        for place, work in enumerate(works):
            gc.collect()  # what one leaves behind is not for the next to clear away
            start = time.process_time()
            work()
            spent[place] += time.process_time() - start
    return tuple(each / times * 1000 for each in spent)


@contextmanager
def _served() -> Iterator[str]:
    """The canned answer, served by a process of its own."""
    command = [sys.executable, "-m", "benchmarks.canned"]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(30)
