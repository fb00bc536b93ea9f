"""The cost of listing 1,000 connections, compared with a plain call of requests and `json.loads`."""

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
from flask_activepieces.api_client.resources.resource import NO_LIMIT

from .fixed_response import CONNECTIONS

TARGET = 3.0
_ROOT = Path(__file__).parents[1]
_KEY = "sk-benchmark"
_PROJECT = "H4SMHoAgJs8TNlXiaOIoV"


@dataclass(frozen=True)
class Listing:
    """Milliseconds of CPU of the calling process for a list, without the server's; medians of rounds."""

    baseline_ms: float
    listed_ms: float
    ratio: float
    spread: tuple[float, float]
    target: float = TARGET

    @property
    def met(self) -> bool:
        """Whether a list stays within its target."""
        return self.ratio <= self.target


def measure_listing(rounds: int, *, lists: int = 20) -> Listing:
    """Alternates the plain call and the client's list; a round has ``lists`` of each."""
    with _served() as url:
        client = ActivepiecesClient(url, _KEY)
        works = (_baseline(url), lambda: _list(client))
        _round(works, lists)
        gc.freeze()  # keeps existing objects out of the collections after each call
        timed = [_round(works, lists) for _ in range(rounds)]
        gc.unfreeze()
    ratios = [listed / baseline for baseline, listed in timed]
    baseline_ms, listed_ms = (median(column) for column in zip(*timed, strict=True))
    return Listing(
        baseline_ms=baseline_ms,
        listed_ms=listed_ms,
        ratio=median(ratios),
        spread=(min(ratios), max(ratios)),
    )


def _baseline(url: str) -> Callable[[], None]:
    """The cheapest call with requests: a session that keeps its connection open."""
    session = requests.Session()
    query: dict[str, str | int] = {"projectId": _PROJECT, "limit": NO_LIMIT}

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


def _round(works: Sequence[Callable[[], None]], times: int) -> tuple[float, ...]:
    """Milliseconds of each; they take turns after every call."""
    spent = [0.0] * len(works)
    for _ in range(times):
        for place, work in enumerate(works):
            gc.collect()  # so that none cleans up after the other
            start = time.process_time()
            work()
            spent[place] += time.process_time() - start
    return tuple(each / times * 1000 for each in spent)


@contextmanager
def _served() -> Iterator[str]:
    """The fixed response, served by another process."""
    command = [sys.executable, "-m", "benchmarks.fixed_response"]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(30)
