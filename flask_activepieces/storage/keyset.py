"""Keyset paging: a cursor names the row next to which a page begins.

So each page takes one statement, however many rows come before it, and no row moves to another page when others
appear or disappear.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, and_, or_

from ..errors import InvalidInput
from ..messages import Message

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Items, and the cursors of the neighboring pages; None where there are no more."""

    items: Sequence[T]
    next: str | None
    previous: str | None

    def map(self, function: Callable[[T], U]) -> Page[U]:
        """The page with other items in place of these."""
        return Page([function(item) for item in self.items], self.next, self.previous)


@dataclass(frozen=True)
class Keyset:
    """The order of a list: two columns, which together are unique, and both ascending or both descending."""

    first: Column[Any]
    second: Column[Any]
    descending: bool = False

    def select(self, conn: Connection, statement: Select[Any], *, limit: int, cursor: str | None) -> Page[Row[Any]]:
        """The page of the statement's rows at the cursor, or the first one."""
        side, key = read_cursor(cursor, self._types) if cursor is not None else ("after", ())
        is_backward = side == "before"
        if key:
            statement = statement.where(self._beyond(key, is_greater=self.descending == is_backward))
        order = [self.first, self.second]
        if self.descending != is_backward:
            ordered = statement.order_by(*(column.desc() for column in order))
        else:
            ordered = statement.order_by(*order)
        # One more row tells whether there is another page.
        rows = conn.execute(ordered.limit(limit + 1)).all()
        has_more, rows = len(rows) > limit, rows[:limit]
        if is_backward:
            rows = rows[::-1]
        has_next, has_previous = (bool(key), has_more) if is_backward else (has_more, bool(key))
        return Page(
            rows,
            next=self._write_cursor("after", rows[-1]) if rows and has_next else None,
            previous=self._write_cursor("before", rows[0]) if rows and has_previous else None,
        )

    @property
    def _types(self) -> tuple[type, type]:
        return self.first.type.python_type, self.second.type.python_type

    def _beyond(self, key: Sequence[Any], *, is_greater: bool) -> ColumnElement[bool]:
        first, second = key
        if is_greater:
            inner = or_(self.first > first, self.second > second)
            return and_(self.first >= first, inner)
        # Not ``(a, b) < (x, y)``, for which MySQL does not use an index.
        return and_(self.first <= first, or_(self.first < first, self.second < second))

    def _write_cursor(self, side: str, row: Row[Any]) -> str:
        return write_cursor(side, (row._mapping[self.first], row._mapping[self.second]))


def write_cursor(side: str, key: Sequence[object]) -> str:
    """The cursor of the page ``after`` or ``before`` the row with this key."""
    return urlsafe_b64encode(json.dumps([side, *key]).encode()).decode()


def read_cursor(cursor: str, types: tuple[type, type]) -> tuple[str, tuple[Any, Any]]:
    """The side and the key, whose parts have these types; `InvalidInput` if the cursor is not one of ours."""
    try:
        match json.loads(urlsafe_b64decode(cursor)):
            case ["after" | "before" as side, first, second] if _is_key((first, second), types):
                return side, (first, second)
    except (ValueError, RecursionError):
        pass
    raise InvalidInput({"cursor": Message("This page of the list does not exist. Start at the first one.")})


def _is_key(key: Sequence[object], types: Sequence[type]) -> bool:
    return all(type(part) is kind and _is_storable(part) for part, kind in zip(key, types, strict=True))


def _is_storable(value: object) -> bool:
    # A database may fail on anything else: an integer of more than 64 bits, a NUL.
    return value.isprintable() if isinstance(value, str) else isinstance(value, int) and abs(value) < 2**63
