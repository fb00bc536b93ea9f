"""The MCP servers of the workspace's project and of its platform, through which AI programs use flows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from ...api_client.errors import CredentialNotSupported
from ...api_client.resources.mcp import McpServer
from ...api_client.wire import api_root
from ...crypto.keyring import context_of
from ...errors import InvalidInput
from ...host.interface import Principal
from ...integrations.client_factory import site_url
from ...integrations.mcp import RotatedMcpToken, TenantMcp
from ...integrations.store import Integration
from ...messages import Message
from ..pages.shown_once import ShownOnce
from .area.upstream import Calls
from .area.visit import Visit, automation_page

_MAX_TOOLS = 500
_MAX_TOOL_NAME = 200

_NEW_TOKEN = ShownOnce(cookie="activepieces_new_mcp_token", purpose="new MCP token")


@dataclass(frozen=True)
class _Scope:
    """What an MCP server gives access to: its page, and its part of `TenantMcp`."""

    page: str
    change_view: str
    rotate_view: str
    #: Where programs connect, on servers at which they sign in.
    path: str
    read: Callable[[TenantMcp, Integration], McpServer]
    change: Callable[..., McpServer]
    rotate: Callable[[TenantMcp, Integration, Principal], RotatedMcpToken]


_PROJECT = _Scope(
    page="automation_mcp",
    change_view="automation_change_mcp",
    rotate_view="automation_rotate_mcp",
    path="/mcp",
    read=TenantMcp.get,
    change=TenantMcp.update,
    rotate=TenantMcp.rotate_token,
)
_PLATFORM = _Scope(
    page="automation_platform_mcp",
    change_view="automation_change_platform_mcp",
    rotate_view="automation_rotate_platform_mcp",
    path="/mcp/platform",
    read=TenantMcp.get_platform,
    change=TenantMcp.update_platform,
    rotate=TenantMcp.rotate_platform_token,
)


@automation_page("mcp", "view")
def automation_mcp(visit: Visit) -> ResponseReturnValue:
    """The address, what to enter where, the tools and the token."""
    return _show(visit, _PROJECT)


@automation_page("mcp", "admin")
def automation_change_mcp(visit: Visit) -> ResponseReturnValue:
    """Switch the server on or off (older servers), switch some of its tools off, or choose those that are on."""
    return _change(visit, _PROJECT)


@automation_page("mcp", "admin")
def automation_rotate_mcp(visit: Visit) -> ResponseReturnValue:
    """Replace the token; the new one is shown once, to those who may see it."""
    return _rotate(visit, _PROJECT)


@automation_page("mcp", "admin")
def automation_platform_mcp(visit: Visit) -> ResponseReturnValue:
    """The same for the server of the whole platform, which administrators of the platform manage."""
    return _show(visit, _PLATFORM)


@automation_page("mcp", "admin")
def automation_change_platform_mcp(visit: Visit) -> ResponseReturnValue:
    """Switch some tools of the platform's server off, or choose those that are on."""
    return _change(visit, _PLATFORM)


@automation_page("mcp", "admin")
def automation_rotate_platform_mcp(visit: Visit) -> ResponseReturnValue:
    """Replace the token of the platform's server."""
    return _rotate(visit, _PLATFORM)


def _change(visit: Visit, scope: _Scope) -> ResponseReturnValue:
    try:
        changes = _changes()
    except InvalidInput as problem:
        return _show(visit, scope, problem)
    scope.change(visit.state.tenants.mcp, visit.integration, **changes, user_id=visit.principal.user_id)
    return visit.redirect(scope.page, done="mcp-changed")


def _rotate(visit: Visit, scope: _Scope) -> ResponseReturnValue:
    rotated = scope.rotate(visit.state.tenants.mcp, visit.integration, visit.principal)
    if rotated.token is None:
        return visit.redirect(scope.page, done="mcp-rotated")
    path = _path(scope)
    content = {"token": rotated.token}
    return _NEW_TOKEN.redirect(
        visit.state, f"{path}?done=mcp-rotated", content, context=_context(visit, scope), path=path
    )


def _show(visit: Visit, scope: _Scope, problem: InvalidInput | None = None) -> ResponseReturnValue:
    calls, tenants = Calls(visit.integration), visit.state.tenants
    try:
        server = scope.read(tenants.mcp, visit.integration)
    except CredentialNotSupported:
        return visit.render("mcp_needs_user.html", is_app_key=not visit.integration.has_credentials)
    info = calls.try_call(lambda: tenants.integrations.client_for(visit.integration, "server.info").server.info())
    new_token = _NEW_TOKEN.read(visit.state, context=_context(visit, scope))
    public_url = info.value.public_url if info.value else None
    response = visit.render(
        "mcp.html",
        problem=problem,
        server=server,
        scope=scope,
        is_platform=scope is _PLATFORM,
        has_platform=scope is _PROJECT and visit.integration.has_credentials and _signs_in(server),
        address=_address(visit, scope, server, public_url),
        signs_in=_signs_in(server),
        flow_names=_flow_names(server),
        tools="\n".join(_listed_tools(server)) if problem is None else request.form.get("tools", ""),
        new_token=new_token and new_token["token"],
        may_see_token=visit.state.host.may_see_mcp_token(visit.principal),
    )
    return _NEW_TOKEN.forget(response, path=_path(scope))


def _signs_in(server: McpServer) -> bool:
    """Whether programs sign in with an account, and not with the token: since servers have no switch."""
    return server.dialect is not None and server.enabled is None


def _address(visit: Visit, scope: _Scope, server: McpServer, public_url: str | None) -> str:
    """Where programs connect; by the address that the server gives itself, which browsers can reach."""
    base_url = visit.integration.base_url or visit.state.settings.base_url
    if _signs_in(server):
        return f"{(public_url or site_url(base_url)).rstrip('/')}{scope.path}"
    return f"{api_root(public_url or base_url)}/projects/{visit.integration.project_id}/mcp-server/http"


def _flow_names(server: McpServer) -> list[str]:
    """The flows that are tools; Activepieces describes them in different ways."""
    versions = (flow.get("version") for flow in server.flows if isinstance(flow, dict))
    names = (version.get("displayName") for version in versions if isinstance(version, dict))
    return sorted(str(name) for name in names if name)


def _listed_tools(server: McpServer) -> Sequence[str]:
    return server.disabled_tools or server.enabled_tools or ()


def _changes() -> dict[str, Any]:
    tools, listed = request.form.get("tools"), request.form.get("listed")
    if tools is None:
        return {"enabled": request.form.get("enabled") == "1"}
    names = _tool_names(tools)
    if listed != "enabled":
        return {"disabled_tools": names}
    if not names:
        # An untouched form of a server on which everything is on would switch everything off.
        raise InvalidInput({"tools": Message("Enter at least one name of a tool.")})
    return {"enabled_tools": names}


def _tool_names(text: str) -> list[str]:
    names = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(names) > _MAX_TOOLS or any(len(name) > _MAX_TOOL_NAME or not name.isprintable() for name in names):
        raise InvalidInput({"tools": Message("Enter one name of a tool in each line.")})
    return names


def _context(visit: Visit, scope: _Scope) -> str:
    return context_of(visit.principal.tenant_id, visit.principal.user_id, visit.integration.id, scope.page)


def _path(scope: _Scope) -> str:
    return url_for(f"activepieces.{scope.page}")
