"""MCP servers: by which a language model reaches the flows and tools of a project, or of the whole platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import InvalidInput
from ..errors import CallNotSupported
from ..wire import segment
from .resource import Resource

#: How servers of these versions, and of those around them, speak of an MCP server.
Dialect = Literal["0.78", "0.85"]


@dataclass(frozen=True, kw_only=True)
class McpServer:
    """One MCP server; what its version of Activepieces does not speak of is None."""

    id: str
    #: None for the server of the platform.
    project_id: str | None = None
    platform_id: str | None = None
    #: Opens a 0.78 server to whoever has it. That of a 0.85 server opens nothing, and is there all the same.
    token: str = field(repr=False)
    #: 0.85: the tools that are off.
    disabled_tools: tuple[str, ...] | None = None
    #: 0.78: ``ENABLED`` or ``DISABLED``.
    status: str | None = None
    #: The flows that are tools, as Activepieces says them.
    flows: tuple[Any, ...] = field(default=(), repr=False)
    created: str
    updated: str

    @property
    def dialect(self) -> Dialect | None:
        """Which of the two kinds of server this is; None if it is neither."""
        if self.disabled_tools is not None:
            return "0.85"
        return None if self.status is None else "0.78"

    @property
    def enabled(self) -> bool | None:
        """Whether a 0.78 server is switched on."""
        return None if self.status is None else self.status == "ENABLED"

    @property
    def masked_token(self) -> str:
        """As much of the token as tells it from another."""
        return f"…{self.token[-4:]}"


class Mcp(Resource):
    """``client.mcp``: for users only; Activepieces lets no API key manage MCP servers."""

    def get(self, project_id: str) -> McpServer:
        """The server of a project, which is made when it is first asked for."""
        return self._show(_of_project(project_id), "mcp.get")

    def update(
        self,
        project_id: str,
        *,
        disabled_tools: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> McpServer:
        """Turn off other tools (0.85), or switch the server on or off (0.78); else `CallNotSupported`."""
        return self._change(_of_project(project_id), "mcp.update", disabled_tools, enabled)

    def rotate_token(self, project_id: str) -> McpServer:
        """The server with another token; the old one is worth nothing from now on."""
        return self._rotate(_of_project(project_id), "mcp.rotate_token")

    def get_platform(self) -> McpServer:
        """The server of the platform, for its administrators."""
        return self._show(_OF_PLATFORM, "mcp.get_platform")

    def update_platform(self, *, disabled_tools: Sequence[str]) -> McpServer:
        """The server of the platform with other tools off."""
        return self._change(_OF_PLATFORM, "mcp.update_platform", disabled_tools, None)

    def rotate_platform_token(self) -> McpServer:
        """The server of the platform with another token."""
        return self._rotate(_OF_PLATFORM, "mcp.rotate_platform_token")

    def _show(self, path: str, operation: str) -> McpServer:
        return self._one(McpServer, operation, "GET", path)

    def _change(
        self,
        path: str,
        operation: str,
        disabled_tools: Sequence[str] | None,
        enabled: bool | None,
    ) -> McpServer:
        if (disabled_tools is None) == (enabled is None):
            raise InvalidInput({"disabled_tools": "give either disabled_tools or enabled"})
        # Either kind of server accepts the words of the other in silence, and does nothing: so look first.
        dialect = self._show(path, operation).dialect
        body: Mapping[str, Any]
        if disabled_tools is not None and dialect == "0.85":
            body = {"disabledTools": list(disabled_tools)}
        elif enabled is not None and dialect == "0.78":
            body = {"status": "ENABLED" if enabled else "DISABLED"}
        else:
            raise _other_kind(operation, dialect)
        return self._one(McpServer, operation, "POST", path, body=body, repeatable=True)

    def _rotate(self, path: str, operation: str) -> McpServer:
        return self._one(McpServer, operation, "POST", f"{path}/rotate")


_OF_PLATFORM = "/mcp-server"


def _of_project(project_id: str) -> str:
    return f"/projects/{segment(project_id)}/mcp-server"


def _other_kind(operation: str, dialect: Dialect | None) -> CallNotSupported:
    detail, remedy = {
        "0.78": ("this server cannot turn off single tools", "Switch the MCP server off."),
        "0.85": ("this server has no switch", "Turn off single tools."),
        None: ("this server speaks of MCP in words that are not known", "Use Activepieces' pages."),
    }[dialect]
    return CallNotSupported(operation, detail=detail, remedy=remedy)
