"""MCP servers, through which a language model uses the flows and tools of a project or of the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import InvalidInput
from ..errors import CallNotSupported
from ..wire import ApiCall, api_path
from .resource import Record, Resource

#: The version of Activepieces that introduced this kind of MCP server.
Dialect = Literal["0.78", "0.85"]


@dataclass(frozen=True, kw_only=True)
class McpServer(Record):
    """An MCP server. Fields of the other dialect are None."""

    #: None for the server of the platform.
    project_id: str | None = None
    platform_id: str | None = None
    #: Grants access to a 0.78 server. A 0.85 server has one, but does not accept it.
    token: str = field(repr=False)
    #: 0.85: the tools that are switched off.
    disabled_tools: tuple[str, ...] | None = None
    #: 0.78: ``ENABLED`` or ``DISABLED``.
    status: str | None = None
    #: The flows that are tools, as Activepieces returns them.
    flows: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def dialect(self) -> Dialect | None:
        """The kind of server; None if it is unknown."""
        if self.disabled_tools is not None:
            return "0.85"
        return None if self.status is None else "0.78"

    @property
    def enabled(self) -> bool | None:
        """Whether a 0.78 server is switched on."""
        return None if self.status is None else self.status == "ENABLED"

    @property
    def masked_token(self) -> str:
        """The end of the token, to recognize it."""
        return f"…{self.token[-4:]}"


class Mcp(Resource):
    """``client.mcp``: for users only; an API key cannot manage MCP servers."""

    def get(self, project_id: str) -> McpServer:
        """The MCP server of a project; Activepieces creates it at the first request."""
        return self._get(McpServer, "mcp.get", *_of_project(project_id))

    def update(
        self, project_id: str, *, disabled_tools: Sequence[str] | None = None, enabled: bool | None = None
    ) -> McpServer:
        """Switch tools off (0.85), or the server on or off (0.78); `CallNotSupported` for the other dialect."""
        return self._update("mcp.update", *_of_project(project_id), disabled_tools=disabled_tools, enabled=enabled)

    def rotate_token(self, project_id: str) -> McpServer:
        """Replace the token; the old one stops working."""
        return self._rotate("mcp.rotate_token", *_of_project(project_id))

    def get_platform(self) -> McpServer:
        """The MCP server of the platform, for its administrators."""
        return self._get(McpServer, "mcp.get_platform", _OF_PLATFORM)

    def update_platform(self, *, disabled_tools: Sequence[str]) -> McpServer:
        """Switch tools of the platform's server off."""
        return self._update("mcp.update_platform", _OF_PLATFORM, disabled_tools=disabled_tools)

    def rotate_platform_token(self) -> McpServer:
        """Replace the token of the platform's server."""
        return self._rotate("mcp.rotate_platform_token", _OF_PLATFORM)

    def _update(
        self, operation: str, *path: str, disabled_tools: Sequence[str] | None, enabled: bool | None = None
    ) -> McpServer:
        if (disabled_tools is None) == (enabled is None):
            raise InvalidInput({"disabled_tools": "pass either disabled_tools or enabled"})
        # A server accepts the fields of the other dialect and ignores them, so look first.
        dialect = self._get(McpServer, operation, *path).dialect
        body: Mapping[str, Any]
        if disabled_tools is not None and dialect == "0.85":
            body = {"disabledTools": list(disabled_tools)}
        elif enabled is not None and dialect == "0.78":
            body = {"status": "ENABLED" if enabled else "DISABLED"}
        else:
            detail, remedy = _OTHER_DIALECT[dialect]
            raise CallNotSupported(operation, detail=detail, remedy=remedy)
        return self._post(McpServer, operation, *path, body=body, idempotent=True)

    def _rotate(self, operation: str, *path: str) -> McpServer:
        return self._object(McpServer, ApiCall(operation, "POST", api_path(*path, "rotate")))


_OF_PLATFORM = "/mcp-server"


def _of_project(project_id: str) -> tuple[str, ...]:
    return "/projects", project_id, "mcp-server"


_OTHER_DIALECT: Mapping[Dialect | None, tuple[str, str]] = {
    "0.78": ("this server cannot switch single tools off", "Switch the MCP server off."),
    "0.85": ("this server cannot be switched on or off", "Switch single tools off."),
    None: ("this kind of MCP server is unknown", "Use Activepieces' own pages."),
}
