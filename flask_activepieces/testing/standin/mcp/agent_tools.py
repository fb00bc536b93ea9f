"""Checks an MCP server for an agent step: over real HTTP, like the MCP client of Activepieces.

All failures have one text, so that no one can scan the server's network.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import requests

from ..connections.oauth_client import NoResponse, check_address
from ..routing.responses import Json, Row
from ..routing.route_groups import USER_ONLY, RouteCall, RouteGroup, in_path
from ..routing.validation import fields, one_of, record, text
from ..versions import AGENT_TOOLS

group = RouteGroup("agent tools")

_TOOL = fields(
    {
        "type": one_of("MCP"),
        "toolName": text(min_length=1),
        "serverUrl": text(),
        "protocol": one_of("sse", "streamable-http", "http"),
        "auth": record(),
    }
)
_ERROR = "Could not validate MCP server. Check the URL, authentication, and that the server is reachable."
_REVISION = "2025-06-18"
_TIMEOUT = 15


@group.route(
    "POST",
    "/projects/<projectId>/agent-tools/mcp/validate",
    body=_TOOL,
    who=USER_ONLY,
    project=in_path,
    permission="WRITE_FLOW",
    since=AGENT_TOOLS,
)
def validate(call: RouteCall) -> tuple[int, Json]:
    """The names of the server's tools, or the error."""
    try:
        check_address(call.body["serverUrl"], call.state.ssrf_allow_list)
        return 200, {"toolNames": _tool_names(call.body["serverUrl"], _headers(call.body["auth"]))}
    except (NoResponse, requests.RequestException, LookupError, TypeError, ValueError):
        return 200, {"error": _ERROR}


def _headers(auth: Row) -> dict[str, str]:
    match auth:
        case {"type": "access_token", "accessToken": str(token)}:
            return {"Authorization": f"Bearer {token}"}
        case {"type": "api_key", "apiKey": str(key), "apiKeyHeader": str(name)}:
            return {name: key}
        case {"type": "headers", "headers": dict(headers)}:
            return {str(name): str(value) for name, value in headers.items()}
    return {}


def _tool_names(url: str, headers: dict[str, str]) -> list[Json]:
    numbers = count(1)

    def send(method: str, params: Row | None = None, *, is_request: bool = True) -> Any:
        message = {"jsonrpc": "2.0", "method": method, **({"params": params} if params else {})}
        body = {**message, "id": next(numbers)} if is_request else message
        response = requests.post(
            url,
            json=body,
            headers={**headers, "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": _REVISION},
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
        response.raise_for_status()
        return response.json()["result"] if is_request else None

    client = {"name": "activepieces-validator", "version": "1.0.0"}
    send("initialize", {"protocolVersion": _REVISION, "capabilities": {}, "clientInfo": client})
    send("notifications/initialized", is_request=False)
    return [tool["name"] for tool in send("tools/list")["tools"]]
