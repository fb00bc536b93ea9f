"""What every resource of the client is made of: calls that are named, and answers that become dataclasses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol, TypeVar, cast

from ..connection_pool import Timeout
from ..decoding import Shape
from ..rows import Rows
from ..wire import Files, Query

#: Activepieces' cursors compare whole seconds and skip rows that were made within one: of 41 connections, walking
#: the pages of a 0.85.2 server brought 20. So a list is asked for at once. There is no upper limit, and without one
#: there are 10 to 100 rows, by the route.
ALL = 1_000_000

T = TypeVar("T")


class Caller(Protocol):
    """What a resource asks for its calls: `Transport`, or a fake of it."""

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        files: Files | None = None,
        repeatable: bool | None = None,
        anonymous: bool = False,
        timeout: Timeout | None = None,
    ) -> Any:
        """The decoded JSON of the answer, None if it has no body."""


class Resource:
    """One part of the API: it knows its routes, and the transport everything else."""

    def __init__(self, transport: Caller) -> None:
        self._transport = transport

    def _one(
        self,
        model: type[T],
        operation: str,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        repeatable: bool | None = None,
        anonymous: bool = False,
        timeout: Timeout | None = None,
    ) -> T:
        answer = self._transport.call(
            operation,
            method,
            path,
            query=query,
            body=body,
            repeatable=repeatable,
            anonymous=anonymous,
            timeout=timeout,
        )
        return shape(model).one(answer, operation)

    def _all(
        self,
        model: type[T],
        operation: str,
        path: str,
        **filters: str | int | bool | Sequence[str] | None,
    ) -> Rows[T]:
        answer = self._transport.call(operation, "GET", path, query=filters)
        return shape(model).many(answer, operation)


def shape(model: type[T]) -> Shape[T]:
    """What the JSON of this dataclass looks like, found out when it is first needed."""
    return _shape(cast(Any, model))


@cache
def _shape(model: Any) -> Shape[Any]:
    return Shape(model)


def given(**members: Any) -> dict[str, Any]:
    """The members of a body that were given; what is absent, Activepieces leaves as it is."""
    return {name: value for name, value in members.items() if value is not None}
