"""Pages over a list of connections that is loaded at once.

The cursors of Activepieces skip rows created in the same second, so it is asked once for everything. Our cursors name
the connection next to which a page begins, so none moves to another page when others appear or disappear.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ...api_client.resources.connections import Connection
from ...storage.keyset import read_cursor, write_cursor

_SortKey = tuple[str, str]


@dataclass(frozen=True)
class Page:
    """Connections, and the cursors of the neighboring pages; None where there are no more."""

    data: Sequence[Connection]
    next: str | None
    previous: str | None


def page_of(connections: Sequence[Connection], *, limit: int, cursor: str | None) -> Page:
    """The page at the cursor, or the first one; oldest first."""
    ordered = sorted(connections, key=_sort_key)
    start, end = 0, limit
    if cursor is not None:
        side, key = read_cursor(cursor, (str, str))
        if side == "after":
            start = bisect_right(ordered, key, key=_sort_key)
            end = start + limit
        else:
            end = bisect_left(ordered, key, key=_sort_key)
            start = max(0, end - limit)
    data = ordered[start:end]
    return Page(
        data=data,
        next=write_cursor("after", _sort_key(data[-1])) if data and end < len(ordered) else None,
        previous=write_cursor("before", _sort_key(data[0])) if data and start else None,
    )


def _sort_key(connection: Connection) -> _SortKey:
    return connection.created, connection.id
