"""The JSON API for the MCP server of an integration's project."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...api_client.resources.mcp import McpServer
from .mcp_schemas import McpChangeSchema, McpSchema
from .operations import Call, operation
from .upstream import UPSTREAM


@operation("view", answer=McpSchema(), problems=UPSTREAM)
def show_mcp(call: Call, integration_id: str) -> Any:
    """The project's MCP server; its token is masked."""
    return _shown(call.state.mcp.get(call.integration(integration_id)))


@operation("admin", body=McpChangeSchema(), answer=McpSchema(), problems=UPSTREAM)
def change_mcp(call: Call, integration_id: str) -> Any:
    """Choose the tools that are off, or switch an older server on or off."""
    changed = call.state.mcp.update(
        call.integration(integration_id),
        disabled_tools=call.body.get("disabled_tools"),
        enabled=call.body.get("enabled"),
        user_id=call.principal.user_id,
        now=call.state.now(),
    )
    return _shown(changed)


@operation("admin", answer=McpSchema(), problems=UPSTREAM)
def rotate_mcp(call: Call, integration_id: str) -> Any:
    """Give the MCP server a new token, shown in this answer only, and only if the host allows it."""
    rotated = call.state.mcp.rotate_token(
        call.integration(integration_id), call.principal, now=call.state.now()
    )
    shown = _shown(rotated.server)
    return shown if rotated.token is None else shown | {"token": rotated.token}


def _shown(server: McpServer) -> dict[str, Any]:
    return asdict(server) | {
        "dialect": server.dialect,
        "enabled": server.enabled,
        "token": server.masked_token,
    }
