"""Pages of a list and their cursors, including a bug of real servers.

The cursor of most lists is the creation time of a page's last row, and the next page begins with the following
*second*: rows of the same second that did not fit on the page are lost. (Of 41 connections created within about a
second, pages of ten returned 20.) Only some lists have exact cursors.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from .responses import Row, framework_error


class Cursor(Protocol):
    """How a list writes and compares its cursors."""

    def text(self, row: Row) -> str:
        """The content of a cursor for this row."""

    def is_after(self, row: Row, cursor: str) -> bool:
        """Whether the row comes after the cursor."""

    def is_before(self, row: Row, cursor: str) -> bool:
        """Whether the row comes before the cursor."""


class SecondsCursor:
    """The lossy cursor: ``created:<milliseconds>``, compared in whole seconds."""

    def text(self, row: Row) -> str:
        return f"created:{_milliseconds(row)}"

    def is_after(self, row: Row, cursor: str) -> bool:
        return _milliseconds(row) // 1000 > self._second(cursor)

    def is_before(self, row: Row, cursor: str) -> bool:
        return _milliseconds(row) // 1000 < self._second(cursor)

    def _second(self, cursor: str) -> int:
        name, _, value = cursor.partition(":")
        if name != "created" or not value.isdigit():
            raise framework_error(500, f"entity property not found {name}")
        return int(value) // 1000


@dataclass(frozen=True)
class ExactCursor:
    """An exact cursor: the sort fields of the row, as JSON."""

    fields: tuple[str, ...]
    descending: bool = False

    def text(self, row: Row) -> str:
        return json.dumps({name: row[name] for name in self.fields}, separators=(",", ":"))

    def is_after(self, row: Row, cursor: str) -> bool:
        here, there = self._position(row), self._position(json.loads(cursor))
        return here < there if self.descending else here > there

    def is_before(self, row: Row, cursor: str) -> bool:
        here, there = self._position(row), self._position(json.loads(cursor))
        return here > there if self.descending else here < there

    def _position(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.fields)


SECONDS = SecondsCursor()


def page(rows: Sequence[Row], query: Row, *, default_size: int = 10, by: Cursor = SECONDS) -> Row:
    """The page of sorted rows that ``limit`` and ``cursor`` of the query select, in the envelope of a list."""
    limit = _page_size(query.get("limit"), default=default_size)
    way, place = _read(query.get("cursor"))
    if way == "next":
        rows = [row for row in rows if by.is_after(row, place)]
    elif way == "prev":
        rows = [row for row in rows if by.is_before(row, place)]
    more = limit is not None and len(rows) > limit
    if limit is not None:
        rows = rows[-limit:] if way == "prev" else rows[:limit]
    forward = bool(rows) and (more or way == "prev")
    back = bool(rows) and (way == "next" or (more and way == "prev"))
    return {
        "data": list(rows),
        "next": _write("next", by.text(rows[-1])) if forward else None,
        "previous": _write("prev", by.text(rows[0])) if back else None,
    }


def _page_size(limit: float | None, *, default: int) -> int | None:
    """The page size for ``limit``: 0 means 100, a negative number no limit. There is no maximum."""
    if limit is None:
        return default
    if limit < 0:
        return None
    return int(limit) or 100


def _read(cursor: str | None) -> tuple[str, str]:
    """Direction and position of a cursor. Unreadable cursors are ignored, partly readable ones are not."""
    try:
        way, _, inner = base64.b64decode(cursor or "", validate=True).decode().partition("_")
    except ValueError:
        return "", ""
    if way not in ("next", "prev"):
        return "", ""
    # Node decodes up to the first character that is not base64.
    letters = re.match(r"[A-Za-z0-9+/]*", inner)
    assert letters is not None, "an empty text matches"
    whole = letters[0][: len(letters[0]) - (len(letters[0]) % 4 == 1)]
    place = base64.b64decode(whole + "=" * (-len(whole) % 4))
    return way, place.decode("utf-8", "replace")


def _write(way: str, place: str) -> str:
    inner = base64.b64encode(place.encode()).decode()
    return base64.b64encode(f"{way}_{inner}".encode()).decode()


def _milliseconds(row: Row) -> int:
    moment = datetime.strptime(row["created"], "%Y-%m-%dT%H:%M:%S.%f%z")
    return round(moment.timestamp() * 1000)
