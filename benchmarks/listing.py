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
    """Median milliseconds of CPU of the calling process for one list."""

    baseline_ms: float
    listed_ms: float
    ratio: float
    spread: tuple[float, float]
    target: float = TARGET

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= self.target


def measure_listing(rounds: int, *, lists: int = 20) -> Listing:
    """Alternate the plain call and the API client's; a round has ``lists`` of each."""
    with _serve() as url:
        api_client = ActivepiecesClient(url, _KEY)
        functions = (_baseline(url), lambda: _list(api_client))
        _round(functions, lists)
        gc.freeze()  # excludes existing objects from the collections below
        timings = [_round(functions, lists) for _ in range(rounds)]
        gc.unfreeze()
    ratios = [listed / baseline for baseline, listed in timings]
    baseline_ms, listed_ms = (median(column) for column in zip(*timings, strict=True))
    return Listing(
        baseline_ms=baseline_ms, listed_ms=listed_ms, ratio=median(ratios), spread=(min(ratios), max(ratios))
    )


def _baseline(url: str) -> Callable[[], None]:
    """The cheapest call with requests, in a session that keeps its connection open."""
    session = requests.Session()
    query: dict[str, str | int] = {"projectId": _PROJECT, "limit": NO_LIMIT}

    def call() -> None:
        response = session.get(
            f"{url}/api/v1/app-connections", params=query, headers={"Authorization": f"Bearer {_KEY}"}, timeout=30
        )
        assert len(json.loads(response.content)["data"]) == CONNECTIONS

    return call


def _list(api_client: ActivepiecesClient) -> None:
    assert len(api_client.connections.list(_PROJECT)) == CONNECTIONS


def _round(functions: Sequence[Callable[[], None]], times: int) -> tuple[float, ...]:
    """Call the functions in turn. Returns the milliseconds of each."""
    spent = [0.0] * len(functions)
    for _ in range(times):
        for index, function in enumerate(functions):
            gc.collect()  # so that no function collects the garbage of another
            start = time.process_time()
            function()
            spent[index] += time.process_time() - start
    return tuple(seconds / times * 1000 for seconds in spent)


@contextmanager
def _serve() -> Iterator[str]:
    """Run the server with the fixed response in another process."""
    command = [sys.executable, "-m", "benchmarks.fixed_response"]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(30)
