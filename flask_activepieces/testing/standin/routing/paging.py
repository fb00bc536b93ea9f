"""Pages of a list and their cursors, with the fault that real servers have.

The cursor of most lists holds the moment at which a page's last row was made, and the next page begins with the
*second* after it: rows of the same second that did not fit on the page are on no page at all. (41 connections made in
about a second, asked for ten at a time: 20 arrived.) Only some lists have cursors that tell every row from the next.
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
    """Where a page begins or ends."""

    def text(self, row: Row) -> str:
        """What a cursor at this row holds."""

    def is_after(self, row: Row, cursor: str) -> bool:
        """Whether the row belongs to the pages behind the cursor."""

    def is_before(self, row: Row, cursor: str) -> bool:
        """Whether the row belongs to the pages in front of the cursor."""


class SecondsCursor:
    """The lossy cursor: ``created:<milliseconds>``, compared by whole seconds."""

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
    """A cursor that names the fields which order the list, as JSON; it loses nothing."""

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


def page(
    rows: Sequence[Row], *, limit: int | None, cursor: str | None, by: Cursor = SECONDS
) -> Row:
    """One page of rows that are in order already, in the envelope of a list; no limit means all of them."""
    way, place = _read(cursor)
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


def page_size(limit: float | None, *, default: int) -> int | None:
    """How a server understands ``limit``: none is the default, 0 is 100, a negative one is no limit. No maximum."""
    if limit is None:
        return default
    if limit < 0:
        return None
    return int(limit) or 100


def _read(cursor: str | None) -> tuple[str, str]:
    """Direction and place of a cursor. One that cannot be read is ignored; one that can be half read is not."""
    try:
        way, _, inner = base64.b64decode(cursor or "", validate=True).decode().partition("_")
    except ValueError:
        return "", ""
    if way not in ("next", "prev"):
        return "", ""
    # Node decodes what it can, and stops at the first character that is none of base64.
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
