"""Background work of the stand-in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock


class Jobs:
    """Work in the background, a few jobs at a time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(4, "stand-in-worker")
        self._lock = Lock()
        self._open: set[Future[object]] = set()

    def start(self, job: Callable[[], object]) -> None:
        """Start a job."""
        with self._lock:
            self._open = {future for future in self._open if not future.done()}
            self._open.add(self._pool.submit(job))

    def wait(self) -> None:
        """Wait for all started jobs, and raise their errors."""
        with self._lock:
            waited_for = list(self._open)
        for future in waited_for:
            future.result()

    def close(self) -> None:
        """Finish the started jobs, and accept no more."""
        self._pool.shutdown()
