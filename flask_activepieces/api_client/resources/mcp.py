"""MCP servers, through which a language model uses the flows and tools of a project or of the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...errors import InvalidInput
from ..decoding import decode_object
from ..errors import CallNotSupported
from ..wire import ApiCall, api_path
from .resource import Record, Resource, without_none

#: The version of Activepieces that introduced this kind of MCP server.
Dialect = Literal["0.78", "0.80", "0.85"]


@dataclass(frozen=True, kw_only=True)
class McpServer(Record):
    """An MCP server. Fields of other dialects are None."""

    #: None for the server of the platform.
    project_id: str | None = None
    platform_id: str | None = None
    #: Grants access to a 0.78 server. A 0.85 server has one, but does not accept it.
    token: str = field(repr=False)
    #: None if the kind of server is unknown.
    dialect: Dialect | None = None
    #: 0.85: the tools that are switched off.
    disabled_tools: tuple[str, ...] | None = None
    #: 0.80 to 0.84: the tools that are switched on; None if no one has chosen yet, and all are on.
    enabled_tools: tuple[str, ...] | None = None
    #: 0.78, and some that have `enabled_tools`: ``ENABLED`` or ``DISABLED``.
    status: str | None = None
    #: The flows that are tools, as Activepieces returns them.
    flows: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def enabled(self) -> bool | None:
        """Whether the server is switched on; None if it has no switch."""
        return None if self.status is None else self.status == "ENABLED"

    @property
    def masked_token(self) -> str:
        """The end of the token, to recognize it."""
        return f"…{self.token[-4:]}"


class Mcp(Resource):
    """``client.mcp``: for users only; an API key cannot manage MCP servers."""

    def get(self, project_id: str) -> McpServer:
        """The MCP server of a project; Activepieces creates it at the first request."""
        return self._server(ApiCall("mcp.get", "GET", api_path(*_of_project(project_id))))

    def update(
        self,
        project_id: str,
        *,
        disabled_tools: Sequence[str] | None = None,
        enabled_tools: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> McpServer:
        """Switch tools off (0.85), choose those that are on (0.80), or switch the server on or off (0.78).

        `CallNotSupported` for what this server does not have.
        """
        change = _Change(disabled_tools, enabled_tools, enabled)
        return self._update("mcp.update", *_of_project(project_id), change=change)

    def rotate_token(self, project_id: str) -> McpServer:
        """Replace the token; the old one stops working."""
        return self._rotate("mcp.rotate_token", *_of_project(project_id))

    def get_platform(self) -> McpServer:
        """The MCP server of the platform, for its administrators; `RouteNotFound` before 0.83."""
        return self._server(ApiCall("mcp.get_platform", "GET", api_path(_OF_PLATFORM)))

    def update_platform(
        self, *, disabled_tools: Sequence[str] | None = None, enabled_tools: Sequence[str] | None = None
    ) -> McpServer:
        """Switch tools of the platform's server off (0.85), or choose those that are on (0.83)."""
        return self._update("mcp.update_platform", _OF_PLATFORM, change=_Change(disabled_tools, enabled_tools))

    def rotate_platform_token(self) -> McpServer:
        """Replace the token of the platform's server."""
        return self._rotate("mcp.rotate_platform_token", _OF_PLATFORM)

    def _update(self, operation: str, *path: str, change: _Change) -> McpServer:
        # A server accepts the fields of other dialects and ignores them, so look first.
        server = self._server(ApiCall(operation, "GET", api_path(*path)))
        if not change.is_offered_by(server):
            detail, remedy = _OTHER_DIALECT[server.dialect]
            raise CallNotSupported(operation, detail=detail, remedy=remedy)
        return self._server(ApiCall(operation, "POST", api_path(*path), body=change.body, idempotent=True))

    def _rotate(self, operation: str, *path: str) -> McpServer:
        return self._server(ApiCall(operation, "POST", api_path(*path, "rotate")))

    def _server(self, call: ApiCall) -> McpServer:
        data = self._transport.send(call)
        server = decode_object(McpServer, data, call.operation)
        # By the fields that it has: ``enabledTools`` may be null.
        dialect = next((dialect for name, dialect in _DIALECTS.items() if name in data), None)
        tools = server.disabled_tools
        return replace(server, dialect=dialect, disabled_tools=tools or () if dialect == "0.85" else tools)


@dataclass(frozen=True)
class _Change:
    """What to change; `InvalidInput` unless it is one thing."""

    disabled_tools: Sequence[str] | None
    enabled_tools: Sequence[str] | None
    enabled: bool | None = None

    def __post_init__(self) -> None:
        if len(self.body) != 1:
            raise InvalidInput({"disabled_tools": "pass one of disabled_tools, enabled_tools and enabled"})

    def is_offered_by(self, server: McpServer) -> bool:
        """Whether this server has what is to be changed."""
        if self.enabled is not None:
            return server.status is not None
        return server.dialect == ("0.85" if self.disabled_tools is not None else "0.80")

    @property
    def body(self) -> Mapping[str, Any]:
        """The change as Activepieces names it."""
        status = None if self.enabled is None else "ENABLED" if self.enabled else "DISABLED"
        tools = {"disabledTools": self.disabled_tools, "enabledTools": self.enabled_tools}
        return without_none({**{name: _listed(value) for name, value in tools.items()}, "status": status})


def _listed(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


_OF_PLATFORM = "/mcp-server"
#: By the field that shows it; the first that a server has.
_DIALECTS: Mapping[str, Dialect] = {"disabledTools": "0.85", "enabledTools": "0.80", "status": "0.78"}


def _of_project(project_id: str) -> tuple[str, ...]:
    return "/projects", project_id, "mcp-server"


_OTHER_DIALECT: Mapping[Dialect | None, tuple[str, str]] = {
    "0.78": ("this server has no list of tools", "Switch the MCP server off."),
    "0.80": ("this server has a list of the tools that are switched on", "List those that should be on."),
    "0.85": ("this server has a list of the tools that are switched off", "List those that should be off."),
    None: ("this kind of MCP server is unknown", "Use Activepieces' own pages."),
}
