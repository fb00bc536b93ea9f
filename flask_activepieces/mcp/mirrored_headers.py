"""The headers that repeat a part of the body, so that proxies can route without reading it (since 2026-07-28).

A difference is an error, because a proxy that trusts the header would see another request than the app.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable

from .json_rpc import HEADER_MISMATCH, RpcError, RpcRequest

METHOD_HEADER = "Mcp-Method"
NAME_HEADER = "Mcp-Name"

#: For each method, the member of ``params`` that is the name.
_NAMES = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_PREFIX, _SUFFIX = "=?base64?", "?="
#: How many characters of a value an error contains.
_LONGEST = 100


def check_mirrored_headers(request: RpcRequest, header: Callable[[str], str | None]) -> None:
    """`RpcError` unless the headers match the request."""
    _check(METHOD_HEADER, _value(header, METHOD_HEADER), request.method)
    member = _NAMES.get(request.method)
    if member is not None and isinstance(request.params.get(member), str):
        _check(NAME_HEADER, _decoded(_value(header, NAME_HEADER)), request.params[member])


def _value(header: Callable[[str], str | None], name: str) -> str:
    value = header(name)
    if value is None:
        raise _mismatch(f"the header {name} is missing.")
    # RFC 9110 §5.5: whitespace around a value is not a part of it.
    return value.strip(" \t")


def _check(name: str, header: str, value: str) -> None:
    if header != value:
        raise _mismatch(f"{name} is {header[:_LONGEST]!r}, but the body says {value[:_LONGEST]!r}.")


def _decoded(header: str) -> str:
    """The value of a header. It may be encoded as Base64, for characters that a header cannot contain."""
    if not (header.startswith(_PREFIX) and header.endswith(_SUFFIX)):
        return header
    try:
        return b64decode(header[len(_PREFIX) : -len(_SUFFIX)], validate=True).decode()
    except (binascii.Error, ValueError):
        raise _mismatch(f"{NAME_HEADER} is not valid Base64.") from None


def _mismatch(problem: str) -> RpcError:
    return RpcError(HEADER_MISMATCH, f"Header mismatch: {problem}", status=400)
