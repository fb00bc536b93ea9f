"""A list of things that are made when they are touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

T = TypeVar("T")


class Rows(Sequence[T]):
    """The things that an answer lists, in its order. Most are only counted or looked through: each is made late."""

    def __init__(self, items: Sequence[Any], build: Callable[[Any], T]) -> None:
        self._items = items
        self._build = build

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Rows[T]: ...
    def __getitem__(self, index: int | slice) -> T | Rows[T]:
        if isinstance(index, slice):
            return Rows(self._items[index], self._build)
        return self._build(self._items[index])

    def __iter__(self) -> Iterator[T]:
        return map(self._build, self._items)

    def where(self, keep: Callable[[Any], bool]) -> Rows[T]:
        """Those whose JSON is to be kept; none is made for it."""
        return Rows([item for item in self._items if keep(item)], self._build)

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"
