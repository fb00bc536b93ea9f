"""The base class of all resources."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ..decoding import decode_list, decode_object
from ..wire import ApiCall

#: Lists are fetched with one request. Activepieces' cursors compare whole seconds and skip rows that were created in
#: the same second: of 41 connections, paging on a 0.85.2 server returned 20. Without a limit, a list has 10 to 100
#: rows, depending on the route; there is no upper limit.
NO_LIMIT = 1_000_000

T = TypeVar("T")


class CallSender(Protocol):
    """A `Transport`, or a fake."""

    def send(self, call: ApiCall) -> Any:
        """The JSON of the response, or None."""


class Resource:
    """One part of the API."""

    def __init__(self, transport: CallSender) -> None:
        self._transport = transport

    def _object(self, model: type[T], call: ApiCall) -> T:
        return decode_object(model, self._transport.send(call), call.operation)

    def _list(self, model: type[T], call: ApiCall) -> list[T]:
        return decode_list(model, self._transport.send(call), call.operation)


def without_none(**members: Any) -> dict[str, Any]:
    """The members of a body that are not None: Activepieces does not change what is absent."""
    return {name: value for name, value in members.items() if value is not None}
