"""The time, as a seam: whole seconds since 1970 in UTC, the same on every database and never a time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

Clock = Callable[[], float]

#: The clocks of several machines may differ by so many seconds.
CLOCK_SKEW = 60


def as_datetime(instant: int) -> datetime:
    """The instant as an aware UTC datetime, for people and for JSON."""
    return datetime.fromtimestamp(instant, tz=timezone.utc)


def format_for_people(instant: int) -> str:
    """The instant as a person reads it: ``20 Nov 2026, 19:49 UTC``."""
    moment = as_datetime(instant)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def as_iso(instant: int) -> str:
    """The instant as RFC 3339 text."""
    return as_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ")
