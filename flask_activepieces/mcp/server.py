"""The methods of the protocol, and their results. A result depends on its request only: there is no session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

from ..pieces.declarations import Trigger
from ..pieces.definition import PieceDefinition
from . import samples
from .catalogue import Catalogue
from .json_rpc import INVALID_PARAMS, METHOD_NOT_FOUND, RESOURCE_NOT_FOUND, RpcError, RpcRequest
from .revisions import META, SERVER_INFO_KEY, SUPPORTED, Revision, negotiated
from .tools import Tool

Result = dict[str, Any]

#: How many milliseconds clients may cache a list, which changes with a new release of the app.
LIST_TTL = 300_000
DISCOVERY_TTL = 3_600_000


class Caller(Protocol):
    """The owner of the token of a request. Runs tools in the app for them."""

    @property
    def scopes(self) -> frozenset[str]: ...

    def call_tool(self, tool: Tool, arguments: Mapping[str, Any]) -> Result:
        """The result of the tool, or an error result."""

    def read_samples(self, trigger: Trigger, inputs: Mapping[str, str]) -> tuple[str, list[str]]:
        """The newest events as JSON, and a note if it is not complete; `RpcError` for inputs that are rejected."""


class McpServer:
    """The MCP server of one app."""

    def __init__(self, define: Callable[[], PieceDefinition], version: Callable[[], str]) -> None:
        self._define = define
        self._version = version

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tools and samples."""
        return Catalogue(self._define())

    @cached_property
    def _info(self) -> Mapping[str, Any]:
        piece = self._define().piece
        icon = {"src": self._define().logo_url}
        return {"name": piece.name, "title": piece.title, "version": self._version(), "icons": [icon]}

    def required_scopes(self, request: RpcRequest) -> frozenset[str]:
        """The scopes that this request needs; none if it calls no tool and reads no resource, or is invalid."""
        if request.method == "tools/call":
            tool = self.catalogue.tools.get(str(request.params.get("name")))
            return tool.scopes if tool else frozenset()
        if request.method == "resources/read":
            found = samples.parse_uri(str(request.params.get("uri")))
            trigger = self.catalogue.triggers.get(found[0]) if found else None
            return trigger.scopes if trigger else frozenset()
        return frozenset()

    def answer(self, request: RpcRequest, revision: Revision, caller: Caller) -> Result:
        """The result of the request; `RpcError` if it fails."""
        methods = _STATELESS_METHODS if revision.is_stateless else _METHODS
        method = methods.get(request.method)
        if method is None:
            status = 404 if revision.is_stateless else 200
            raise RpcError(METHOD_NOT_FOUND, "There is no such method.", status=status)
        try:
            result = method(self, request.params, caller)
        except UnknownResource as error:
            if not revision.is_stateless:
                error.code = RESOURCE_NOT_FOUND
            raise
        if not revision.is_stateless:
            return {name: result[name] for name in result if name not in _CACHING}
        identity = {name: self._info[name] for name in ("name", "version")}
        return {"resultType": "complete", **result, META: {SERVER_INFO_KEY: identity}}

    # --- Methods ----------------------------------------------------------------------------------

    def _initialize(self, params: Mapping[str, Any], caller: Caller) -> Result:
        revision = negotiated(params.get("protocolVersion"))
        return {"protocolVersion": revision.name, **self._described, "serverInfo": self._info}

    def _discover(self, params: Mapping[str, Any], caller: Caller) -> Result:
        return {"supportedVersions": SUPPORTED, **self._described, **_cached(DISCOVERY_TTL, "public")}

    def _ping(self, params: Mapping[str, Any], caller: Caller) -> Result:
        return {}

    def _list_tools(self, params: Mapping[str, Any], caller: Caller) -> Result:
        return self._list("tools", params, caller)

    def _list_resources(self, params: Mapping[str, Any], caller: Caller) -> Result:
        return self._list("resources", params, caller)

    def _list_templates(self, params: Mapping[str, Any], caller: Caller) -> Result:
        return self._list("resourceTemplates", params, caller)

    def _list(self, kind: str, params: Mapping[str, Any], caller: Caller) -> Result:
        page = self.catalogue.page(kind, caller.scopes, params.get("cursor"))
        # With other scopes, a token may see other tools.
        return {**page, **_cached(LIST_TTL, "private")}

    def _call_tool(self, params: Mapping[str, Any], caller: Caller) -> Result:
        name, arguments = params.get("name"), params.get("arguments")
        tool = self.catalogue.tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise RpcError(INVALID_PARAMS, f"Unknown tool: {str(name)[:100]}")
        if not isinstance(arguments, dict | None):
            raise RpcError(INVALID_PARAMS, "The arguments must be an object.")
        return caller.call_tool(tool, arguments or {})

    def _read_resource(self, params: Mapping[str, Any], caller: Caller) -> Result:
        uri = params.get("uri")
        found = samples.parse_uri(uri) if isinstance(uri, str) else None
        trigger = self.catalogue.triggers.get(found[0]) if found else None
        if found is None or trigger is None:
            raise UnknownResource(uri)
        text, notes = caller.read_samples(trigger, found[1])
        contents = [{"uri": uri, "mimeType": samples.MIME_TYPE, "text": text}]
        contents += [{"uri": uri, "mimeType": "text/plain", "text": note} for note in notes]
        return {"contents": contents, **_cached(0, "private")}

    @cached_property
    def _described(self) -> Mapping[str, Any]:
        instructions = self._define().piece.description
        guidance = {"instructions": instructions} if instructions else {}
        return {"capabilities": {"tools": {}, "resources": {}}, **guidance}


class UnknownResource(RpcError):
    """Raised for the address of a resource that does not exist."""

    def __init__(self, uri: object) -> None:
        super().__init__(INVALID_PARAMS, "Resource not found.", data={"uri": uri})


_CACHING = ("ttlMs", "cacheScope")


def _cached(ttl: int, scope: str) -> Result:
    return dict(zip(_CACHING, (ttl, scope), strict=True))


_Method = Callable[[McpServer, Mapping[str, Any], Caller], Result]
_COMMON: Mapping[str, _Method] = {
    "tools/list": McpServer._list_tools,
    "tools/call": McpServer._call_tool,
    "resources/list": McpServer._list_resources,
    "resources/templates/list": McpServer._list_templates,
    "resources/read": McpServer._read_resource,
}
_METHODS: Mapping[str, _Method] = {**_COMMON, "initialize": McpServer._initialize, "ping": McpServer._ping}
_STATELESS_METHODS: Mapping[str, _Method] = {**_COMMON, "server/discover": McpServer._discover}
