"""JSON-RPC 2.0, as the protocol uses it: reads messages strictly, and writes responses.

Anything else than a message is an `RpcError`, with the code of JSON-RPC and the status of HTTP.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
#: Up to revision 2025-11-25. Later revisions use INVALID_PARAMS.
RESOURCE_NOT_FOUND = -32002
#: Since revision 2026-07-28.
HEADER_MISMATCH = -32020
UNSUPPORTED_PROTOCOL_VERSION = -32022

#: Much deeper than any form, and much less than Python can parse.
MAX_DEPTH = 64

RequestId = str | int


class RpcError(Exception):
    """An error of the protocol. ``status`` is the status of the HTTP response."""

    def __init__(self, code: int, message: str, *, data: Any = None, status: int = 200) -> None:
        self.code = code
        self.message = message
        self.data = data
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class RpcRequest:
    """A message that expects a response."""

    id: RequestId
    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class RpcNotification:
    """A message that expects no response."""

    method: str


@dataclass(frozen=True)
class RpcResponse:
    """A response from the client. It is ignored, because the server sends no requests."""


Message = RpcRequest | RpcNotification | RpcResponse


class Encoded(str):
    """A value that is already encoded as JSON."""


def decode(body: bytes) -> Any:
    """The value of a JSON body; `RpcError` if it is not valid JSON, or nested too deeply."""
    try:
        # Given bytes, the parser would also take UTF-16, and halves of surrogate pairs.
        value = _DECODER.decode(body.removeprefix(BOM_UTF8).decode())
        if b"\\u" in body:
            # Half of a surrogate pair is valid in JSON, but not in UTF-8.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RpcError(PARSE_ERROR, "The body is not valid JSON.", status=400) from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise RpcError(INVALID_REQUEST, f"The JSON is nested deeper than {MAX_DEPTH} levels.", status=400)
    return value


def read_message(raw: Any) -> Message:
    """The message; `RpcError` if the value is not a message."""
    if not isinstance(raw, dict) or raw.get("jsonrpc") != "2.0":
        raise _invalid('A message is an object with "jsonrpc": "2.0".')
    if "method" not in raw:
        if "result" in raw or "error" in raw:
            return RpcResponse()
        raise _invalid("A request needs a method.")
    method, params = raw["method"], raw.get("params", {})
    if not isinstance(method, str):
        raise _invalid("The method must be a string.")
    if not isinstance(params, dict):
        raise _invalid("The params must be an object.")
    if "id" not in raw:
        return RpcNotification(method)
    # A number with a fraction cannot be compared reliably, and null is the id of an unreadable request.
    if type(raw["id"]) not in (str, int):
        raise _invalid("The id must be a string or an integer.")
    return RpcRequest(raw["id"], method, params)


def id_of(raw: Any) -> RequestId | None:
    """The id in an invalid message, if it has one."""
    found = raw.get("id") if isinstance(raw, dict) else None
    return found if type(found) in (str, int) else None


def result_text(request_id: RequestId, result: Mapping[str, Any]) -> str:
    """The response to a request."""
    return f'{{"jsonrpc": "2.0", "id": {json.dumps(request_id)}, "result": {encode_object(result)}}}'


def error_text(request_id: RequestId | None, error: RpcError) -> str:
    """The response to a request that failed; without an id if the request could not be read."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    known_id = {} if request_id is None else {"id": request_id}
    return json.dumps({"jsonrpc": "2.0", **known_id, "error": body})


def encode_object(values: Mapping[str, Any]) -> str:
    """The object as JSON. Its members may already be encoded."""
    members = (f"{json.dumps(name)}: {_encode(value)}" for name, value in values.items())
    return f"{{{', '.join(members)}}}"


def _encode(value: Any) -> str:
    return value if isinstance(value, Encoded) else json.dumps(value)


def _invalid(message: str) -> RpcError:
    return RpcError(INVALID_REQUEST, message, status=400)


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_reject_constant)


def _depth(value: Any) -> int:
    """How deeply objects and lists are nested."""
    depth, level = 0, _containers([value])
    while level:
        depth += 1
        level = [inner for each in level for inner in _containers(each.values() if isinstance(each, dict) else each)]
    return depth


def _containers(values: Iterable[Any]) -> list[dict[str, Any] | list[Any]]:
    return [each for each in values if isinstance(each, dict | list)]
