"""MCP servers of others as tools of Activepieces' agent step.

Activepieces keeps no list of them: each is a part of the step that uses it, in the version of a flow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import CallNotSupported
from ..wire import ApiCall, api_path
from .resource import Resource

#: The pieces whose action is the agent step; the second is the name before 0.75.
AGENT_PIECES = ("@activepieces/piece-ai", "@activepieces/piece-agent")
AGENT_ACTION = "run_agent"
#: The input of that action in which its tools are.
TOOLS_INPUT = "agentTools"


@dataclass(frozen=True, kw_only=True)
class McpTool:
    """An MCP server that an agent step may use, over streamable HTTP and with a token in the header."""

    name: str
    url: str
    access_token: str = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The tool as Activepieces stores it in the step."""
        return {
            "type": "MCP",
            "toolName": self.name,
            "serverUrl": self.url,
            "protocol": "streamable-http",
            "auth": {"type": "access_token", "accessToken": self.access_token},
        }


class AgentTools(Resource):
    """``client.agent_tools``: for users only."""

    def check(self, project_id: str, tool: McpTool) -> Sequence[str]:
        """The names of the tools that Activepieces finds at this server; `CallNotSupported` if it cannot use it.

        Since 0.85; before, `RouteNotFound`.
        """
        operation, path = "agent_tools.check", api_path("/projects", project_id, "agent-tools", "mcp", "validate")
        found = self._transport.send(ApiCall(operation, "POST", path, body=tool.to_json(), idempotent=True))
        names = found.get("toolNames") if isinstance(found, Mapping) else None
        if not isinstance(names, list):
            # It gives one reason for everything, so that no one can scan its network.
            raise CallNotSupported(
                operation,
                detail="Activepieces cannot use this MCP server",
                remedy="Check its address, which Activepieces must reach, and the token.",
            )
        return [str(name) for name in names]
