"""MCP servers of projects and of the platform: their settings and their token. Clients connect at `transport`.

Only users have access, not API keys. Even users who may only read a project see the token.
0.78 has a switch (``status``), 0.83 a list of the tools that are on (``enabledTools``), 0.85 one of those that are
off (``disabledTools``).
"""

from __future__ import annotations

from ..routing.responses import Json, Row
from ..routing.route_groups import USER_ONLY, RouteCall, RouteGroup, in_path
from ..routing.validation import fields, list_of, one_of, optional, text
from ..state import ServerState
from ..store import new_id
from ..versions import MCP_BY_OAUTH, MCP_TOOLS

group = RouteGroup("mcp")

KIND = "mcp_server"
_OF_PROJECT = "/projects/<projectId>/mcp-server"
_OF_PLATFORM = "/mcp-server"
_TOKEN_LENGTH = 72
_READ, _WRITE = "READ_MCP", "WRITE_MCP"

#: The settings. Unknown tools are stored as well; fields of the other version are dropped.
_DISABLED_TOOLS = fields({"disabledTools": optional(list_of(text()))})
_ENABLED_TOOLS = fields({"enabledTools": optional(list_of(text()))})
_STATUS = fields({"status": optional(one_of("ENABLED", "DISABLED"))})


def _server(state: ServerState, **owner: str | None) -> Row:
    """The MCP server of a project or platform, created when it is first read."""
    settings: Row = {"status": "DISABLED", "enabledTools": None, "disabledTools": [], "token": new_id(_TOKEN_LENGTH)}
    with state.lock:
        return state.store.first(KIND, **owner) or state.store.add(KIND, {**owner, **settings})


def _server_of_project(call: RouteCall) -> Row:
    return _server(call.state, type="PROJECT", projectId=call.project_id, platformId=None)


def _server_of_platform(call: RouteCall) -> Row:
    platform_id = call.caller.platform_id
    return _server(call.state, type="PLATFORM", projectId=None, platformId=platform_id)


def _to_json(state: ServerState, server: Row) -> Row:
    """An MCP server as the API of that version returns it; only those of projects have flows, which tests store."""
    setting = "disabledTools" if state.has(MCP_BY_OAUTH) else "enabledTools" if state.has(MCP_TOOLS) else "status"
    others = {"status", "enabledTools", "disabledTools"} - {setting}
    if not state.has(MCP_TOOLS):
        others |= {"type", "platformId"}
    shown = {name: value for name, value in server.items() if name not in others}
    return ({"flows": []} if server["type"] == "PROJECT" else {}) | shown


def _change(call: RouteCall, server: Row, **changes: Json) -> tuple[int, Json]:
    server = call.state.store.change(KIND, server["id"], **changes) if changes else server
    return 200, _to_json(call.state, server)


@group.route("GET", _OF_PROJECT, who=USER_ONLY, project=in_path, permission=_READ)
def show(call: RouteCall) -> tuple[int, Json]:
    """The MCP server of a project."""
    return 200, _to_json(call.state, _server_of_project(call))


def _set(call: RouteCall) -> tuple[int, Json]:
    """Change the settings of a project's MCP server."""
    return _change(call, _server_of_project(call), **call.body)


for _body, _since, _before in (
    (_STATUS, None, MCP_TOOLS),
    (_ENABLED_TOOLS, MCP_TOOLS, MCP_BY_OAUTH),
    (_DISABLED_TOOLS, MCP_BY_OAUTH, None),
):
    group.route(
        "POST",
        _OF_PROJECT,
        body=_body,
        who=USER_ONLY,
        project=in_path,
        permission=_WRITE,
        since=_since,
        before=_before,
    )(_set)


@group.route("POST", f"{_OF_PROJECT}/rotate", who=USER_ONLY, project=in_path, permission=_WRITE)
def rotate(call: RouteCall) -> tuple[int, Json]:
    """Rotate the token of a project's MCP server."""
    return _change(call, _server_of_project(call), token=new_id(_TOKEN_LENGTH))


@group.route("GET", _OF_PLATFORM, who=USER_ONLY, platform_admin=True, since=MCP_TOOLS)
def show_platform(call: RouteCall) -> tuple[int, Json]:
    """The MCP server of the platform."""
    return 200, _to_json(call.state, _server_of_platform(call))


@group.route(
    "POST",
    _OF_PLATFORM,
    body=_ENABLED_TOOLS,
    who=USER_ONLY,
    platform_admin=True,
    since=MCP_TOOLS,
    before=MCP_BY_OAUTH,
)
@group.route("POST", _OF_PLATFORM, body=_DISABLED_TOOLS, who=USER_ONLY, platform_admin=True, since=MCP_BY_OAUTH)
def set_platform(call: RouteCall) -> tuple[int, Json]:
    """Change the settings of the platform's MCP server."""
    return _change(call, _server_of_platform(call), **call.body)


@group.route("POST", f"{_OF_PLATFORM}/rotate", who=USER_ONLY, platform_admin=True, since=MCP_TOOLS)
def rotate_platform(call: RouteCall) -> tuple[int, Json]:
    """Rotate the token of the platform's MCP server."""
    return _change(call, _server_of_platform(call), token=new_id(_TOKEN_LENGTH))
