"""Time under the test's control."""

from __future__ import annotations

START = 1_800_000_000


class StoppedClock:
    """A clock that moves only when a test says so."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float = 0, *, hours: float = 0, days: float = 0) -> None:
        self.now += seconds + hours * 3600 + days * 86_400
