"""The endpoint for MCP clients. It checks tokens as real servers do, and offers no tools.

From 0.85 on, ``/mcp`` only accepts tokens of Activepieces' own OAuth server. The stand-in issues none, so it rejects
all tokens, including API keys, user tokens and the token from the settings. At 0.78 that token works for the server
of its project, even if the server is disabled.
"""

from __future__ import annotations

import json

from flask import Response, request

from ..routing.responses import Json, Row, respond
from ..routing.route_groups import PUBLIC, RouteCall, RouteGroup
from ..versions import MCP_BY_OAUTH
from .settings import KIND

group = RouteGroup("mcp transport", at_root=True)
old_group = RouteGroup("old mcp transport")


@group.route("POST", "/mcp", who=PUBLIC, since=MCP_BY_OAUTH)
@group.route("POST", "/mcp/platform", who=PUBLIC, since=MCP_BY_OAUTH)
def refuse(call: RouteCall) -> Response:
    """Reject every token."""
    message = {"error": "unauthorized", "message": "Invalid or expired access token"}
    response = respond(401, message)
    # Without the port, like real servers without a proxy.
    host = request.host.partition(":")[0]
    metadata = f"http://{host}/.well-known/oauth-protected-resource{request.path}"
    response.headers["WWW-Authenticate"] = f'Bearer error="invalid_token", resource_metadata="{metadata}"'
    return response


@group.route("GET", "/mcp", who=PUBLIC, since=MCP_BY_OAUTH)
@group.route("GET", "/mcp/platform", who=PUBLIC, since=MCP_BY_OAUTH)
def only_post(call: RouteCall) -> tuple[int, Json]:
    """Only POST is supported: there is no event stream."""
    message = "Use POST with Authorization: Bearer <token> for MCP requests."
    return 405, {"error": "Method Not Allowed", "message": message}


@old_group.route("POST", "/projects/<projectId>/mcp-server/http", who=PUBLIC, before=MCP_BY_OAUTH)
def speak(call: RouteCall) -> Response:
    """Accept the project's token, and return an empty list of tools."""
    server = call.state.store.first(KIND, projectId=call.params["projectId"])
    if server is None or request.headers.get("Authorization") != f"Bearer {server['token']}":
        return respond(401, {"error": "Unauthorized"})
    message = call.body if isinstance(call.body, dict) else {}
    return _event({**_message(message.get("method")), "jsonrpc": "2.0", "id": message.get("id")})


def _message(method: str | None) -> Row:
    if method != "initialize":
        return {"error": {"code": -32601, "message": "Method not found"}}
    who = {"name": "Activepieces", "version": "1.0.0"}
    return {"result": {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": who}}


def _event(message: Row) -> Response:
    payload = json.dumps(message, separators=(",", ":"))
    return Response(f"event: message\ndata: {payload}\n\n", content_type="text/event-stream")
