"""Pages of our own over rows that came in one answer.

Activepieces' cursors lose rows that were made in one second, so it is asked once for everything. A cursor of ours
names the row beside which the page begins: rows that come or go meanwhile move no other row to another page.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ...errors import InvalidInput


class Row(Protocol):
    """What has a place in the order."""

    @property
    def id(self) -> str:
        """Its id, which no other has."""
        ...

    @property
    def created(self) -> str:
        """When it was made, in ISO 8601."""
        ...


R = TypeVar("R", bound=Row)
_Place = tuple[str, str]


@dataclass(frozen=True)
class Page(Generic[R]):
    """Some rows, and the cursors of the pages around them; None where there is nothing more."""

    data: list[R]
    next: str | None
    previous: str | None


def page_of(rows: Sequence[R], *, limit: int, cursor: str | None) -> Page[R]:
    """The page at the cursor, or the first; rows are ordered by their making, oldest first."""
    ordered = sorted(rows, key=_place)
    start, end = _bounds(ordered, limit, cursor)
    shown = ordered[start:end]
    return Page(
        data=shown,
        next=_write("after", shown[-1]) if shown and end < len(ordered) else None,
        previous=_write("before", shown[0]) if shown and start else None,
    )


def _bounds(ordered: Sequence[Row], limit: int, cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return 0, limit
    side, place = _read(cursor)
    if side == "after":
        start = sum(_place(row) <= place for row in ordered)
        return start, start + limit
    end = sum(_place(row) < place for row in ordered)
    return max(0, end - limit), end


def _place(row: Row) -> _Place:
    return row.created, row.id


def _write(side: str, row: Row) -> str:
    return urlsafe_b64encode(json.dumps([side, *_place(row)]).encode()).decode()


def _read(cursor: str) -> tuple[str, _Place]:
    try:
        match json.loads(urlsafe_b64decode(cursor)):
            case ["after" | "before" as side, str(created), str(identifier)]:
                return side, (created, identifier)
    except (ValueError, RecursionError):
        pass
    raise InvalidInput({"cursor": "it is none of this list"})
