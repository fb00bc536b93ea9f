"""A list of things that are made when they are touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

T = TypeVar("T")


class Rows(Sequence[T]):
    """The things that an answer lists, in its order. Most are only counted or looked through: each is made late."""

    def __init__(self, items: Sequence[Any], build: Callable[[Any], T]) -> None:
        self._items = items
        self._build = build
        self._made: dict[int, T] = {}

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Rows[T]: ...
    def __getitem__(self, index: int | slice) -> T | Rows[T]:
        if isinstance(index, slice):
            return Rows(self._items[index], self._build)
        place = range(len(self._items))[index]
        if place not in self._made:
            self._made[place] = self._build(self._items[place])
        return self._made[place]

    def where(self, keep: Callable[[Any], bool]) -> Rows[T]:
        """Those whose JSON is to be kept; none is made for it."""
        return Rows([item for item in self._items if keep(item)], self._build)

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"
