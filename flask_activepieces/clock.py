"""The clock, which tests replace: whole seconds since 1970 in UTC, the same on every database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

Clock = Callable[[], float]

#: Clocks of several machines may differ by this many seconds.
CLOCK_SKEW = 60


def as_datetime(instant: int) -> datetime:
    """The time as an aware datetime in UTC."""
    return datetime.fromtimestamp(instant, tz=timezone.utc)


def format_for_people(instant: int) -> str:
    """The time for people: ``20 Nov 2026, 19:49 UTC``."""
    moment = as_datetime(instant)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def as_iso(instant: int) -> str:
    """The time in RFC 3339 format."""
    return as_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> int | None:
    """The time in whole seconds; None if the text is not a time in RFC 3339 format."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return int(moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp())
