"""Pages over a list that is loaded at once.

The cursors of Activepieces skip rows created in the same second, so it is asked once for everything. Our cursors name
the row next to which a page begins, so rows that appear or disappear do not move others to another page.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ...errors import InvalidInput


class Row(Protocol):
    """Something with a unique id and a time of creation in ISO 8601."""

    @property
    def id(self) -> str: ...

    @property
    def created(self) -> str: ...


R = TypeVar("R", bound=Row)
_SortKey = tuple[str, str]


@dataclass(frozen=True)
class Page(Generic[R]):
    """Rows, and the cursors of the neighboring pages; None where there are no more rows."""

    data: list[R]
    next: str | None
    previous: str | None


def page_of(rows: Sequence[R], *, limit: int, cursor: str | None) -> Page[R]:
    """The page at the cursor, or the first one; oldest rows first."""
    ordered = sorted(rows, key=_sort_key)
    start, end = _bounds(ordered, limit, cursor)
    data = ordered[start:end]
    return Page(
        data=data,
        next=_write_cursor("after", data[-1]) if data and end < len(ordered) else None,
        previous=_write_cursor("before", data[0]) if data and start else None,
    )


def _bounds(ordered: Sequence[Row], limit: int, cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return 0, limit
    side, key = _read_cursor(cursor)
    if side == "after":
        start = sum(_sort_key(row) <= key for row in ordered)
        return start, start + limit
    end = sum(_sort_key(row) < key for row in ordered)
    return max(0, end - limit), end


def _sort_key(row: Row) -> _SortKey:
    return row.created, row.id


def _write_cursor(side: str, row: Row) -> str:
    return urlsafe_b64encode(json.dumps([side, *_sort_key(row)]).encode()).decode()


def _read_cursor(cursor: str) -> tuple[str, _SortKey]:
    try:
        match json.loads(urlsafe_b64decode(cursor)):
            case ["after" | "before" as side, str(created), str(identifier)]:
                return side, (created, identifier)
    except (ValueError, RecursionError):
        pass
    raise InvalidInput({"cursor": "Invalid cursor."})
