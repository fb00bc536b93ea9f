"""The revisions of the protocol, and which one a message uses.

Clients of older revisions begin with ``initialize``. Since 2026-07-28 there is no handshake: each request names its
revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .json_rpc import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    UNSUPPORTED_PROTOCOL_VERSION,
    RpcError,
    RpcRequest,
)

VERSION_HEADER = "MCP-Protocol-Version"
META = "_meta"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_INFO_KEY = "io.modelcontextprotocol/serverInfo"


@dataclass(frozen=True)
class Revision:
    """One revision of the specification."""

    name: str
    #: Whether each request contains its revision, the capabilities of the client and mirrored headers.
    is_stateless: bool = False
    #: Whether a body may contain several messages.
    has_batches: bool = False


_ALL = (
    Revision("2026-07-28", is_stateless=True),
    Revision("2025-11-25"),
    Revision("2025-06-18"),
    Revision("2025-03-26", has_batches=True),
)
REVISIONS: Mapping[str, Revision] = {revision.name: revision for revision in _ALL}
#: The newest first.
SUPPORTED = list(REVISIONS)
#: The response to an ``initialize`` for an unknown revision, or for one without ``initialize``.
NEWEST_WITH_HANDSHAKE = REVISIONS["2025-11-25"]
#: The revision of a request without the header (2025-06-18, basic/transports: Protocol Version Header).
WITHOUT_HEADER = REVISIONS["2025-03-26"]


def revision_of_header(header: str | None) -> Revision:
    """The revision that the header names; `RpcError` for an unknown one."""
    if header is None:
        return WITHOUT_HEADER
    if header not in REVISIONS:
        raise _unsupported(header)
    return REVISIONS[header]


def revision_of(request: RpcRequest, header: str | None) -> Revision:
    """The revision of a request; `RpcError` if header and body contradict each other."""
    declared = _meta_of(request.params).get(VERSION_KEY)
    if request.method == "initialize" and declared is None:
        # The header does not matter, because no revision is agreed on yet.
        return NEWEST_WITH_HANDSHAKE
    if declared is not None and declared != header:
        said = "is missing" if header is None else f"is {header!r}"
        raise RpcError(
            HEADER_MISMATCH,
            f"Header mismatch: {VERSION_HEADER} {said}, but {VERSION_KEY} is {declared!r}.",
            status=400,
        )
    revision = revision_of_header(header)
    if revision.is_stateless:
        _check_meta(request.params)
        if request.method == "initialize":
            raise RpcError(METHOD_NOT_FOUND, "This revision has no method 'initialize'.", status=404)
    return revision


def negotiated(requested: object) -> Revision:
    """The revision that ``initialize`` agrees on: the requested one, or the newest with a handshake."""
    revision = REVISIONS.get(requested) if isinstance(requested, str) else None
    return NEWEST_WITH_HANDSHAKE if revision is None or revision.is_stateless else revision


def _check_meta(params: Mapping[str, Any]) -> None:
    meta = _meta_of(params)
    for key, kind in ((VERSION_KEY, str), (CAPABILITIES_KEY, dict)):
        if not isinstance(meta.get(key), kind):
            raise RpcError(INVALID_PARAMS, f"The request needs {META}.{key}.", status=400)


def _meta_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = params.get(META)
    return meta if isinstance(meta, dict) else {}


def _unsupported(requested: str) -> RpcError:
    data = {"supported": SUPPORTED, "requested": requested}
    return RpcError(UNSUPPORTED_PROTOCOL_VERSION, "Unsupported protocol version.", data=data, status=400)
