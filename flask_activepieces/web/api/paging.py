"""Pages over a list of Activepieces that is loaded at once.

The cursors of Activepieces skip rows created in the same second, so it is asked once for everything. Our cursors name
the item next to which a page begins, so none moves to another page when others appear or disappear.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...api_client.resources.resource import Record
from ...storage.keyset import read_cursor, write_cursor

R = TypeVar("R", bound=Record)
_SortKey = tuple[str, str]


@dataclass(frozen=True)
class Page(Generic[R]):
    """Items, and the cursors of the neighboring pages; None where there are no more."""

    data: Sequence[R]
    #: How many items are on the pages before, and on all pages.
    skipped: int
    total: int
    next: str | None
    previous: str | None


def by_age(record: Record) -> _SortKey:
    """Oldest first."""
    return record.created, record.id


def page_of(
    records: Sequence[R], *, limit: int, cursor: str | None, key: Callable[[R], _SortKey] = by_age
) -> Page[R]:
    """The page at the cursor, or the first one; ``key`` orders the items, and is different for each."""
    ordered = sorted(records, key=key)
    start, end = 0, limit
    if cursor is not None:
        side, place = read_cursor(cursor, (str, str))
        if side == "after":
            start = bisect_right(ordered, place, key=key)
            end = start + limit
        else:
            end = bisect_left(ordered, place, key=key)
            start = max(0, end - limit)
    data = ordered[start:end]
    return Page(
        data=data,
        skipped=start,
        total=len(ordered),
        next=write_cursor("after", key(data[-1])) if data and end < len(ordered) else None,
        previous=write_cursor("before", key(data[0])) if data and start else None,
    )
