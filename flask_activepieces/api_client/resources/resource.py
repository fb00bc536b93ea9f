"""The base class of all resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..decoding import decode_list, decode_object
from ..wire import ApiCall, Query, api_path

#: Lists are fetched with one request. Activepieces' cursors compare whole seconds and skip rows that were created in
#: the same second: of 41 connections, paging on a 0.85.2 server returned 20. Without a limit, a list has 10 to 100
#: rows, depending on the route; there is no upper limit.
NO_LIMIT = 1_000_000

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What Activepieces has stored, and when it was created and last updated."""

    id: str
    created: str
    updated: str


class CallSender(Protocol):
    """A `Transport`, or a fake."""

    def send(self, call: ApiCall) -> Any:
        """The JSON of the response, or None."""


class Resource:
    """One part of the API. A path is a route, followed by ids and further parts, which are quoted."""

    def __init__(self, transport: CallSender) -> None:
        self._transport = transport

    def _get(self, model: type[T], operation: str, *path: str, query: Query | None = None) -> T:
        return self._object(model, ApiCall(operation, "GET", api_path(*path), query=query or {}))

    def _list(self, model: type[T], operation: str, *path: str, query: Query | None = None) -> list[T]:
        call = ApiCall(operation, "GET", api_path(*path), query=query or {})
        return decode_list(model, self._transport.send(call), operation)

    def _post(
        self, model: type[T], operation: str, *path: str, body: Mapping[str, Any], idempotent: bool = False
    ) -> T:
        body = without_none(body)
        return self._object(model, ApiCall(operation, "POST", api_path(*path), body=body, idempotent=idempotent))

    def _delete(self, operation: str, *path: str) -> None:
        self._transport.send(ApiCall(operation, "DELETE", api_path(*path)))

    def _object(self, model: type[T], call: ApiCall) -> T:
        return decode_object(model, self._transport.send(call), call.operation)


def without_none(body: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are not None: Activepieces does not change what is absent."""
    return {name: value for name, value in body.items() if value is not None}
