"""The MCP server of the workspace's project, through which AI programs use its flows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from ...api_client.errors import CredentialNotSupported
from ...api_client.resources.mcp import McpServer
from ...api_client.wire import api_root
from ...crypto.keyring import context_of
from ...errors import InvalidInput
from ...integrations.client_factory import site_url
from ...messages import Message
from ..pages.shown_once import ShownOnce
from .area.upstream import Calls
from .area.visit import Visit, automation_page

_MAX_TOOLS = 500
_MAX_TOOL_NAME = 200

_NEW_TOKEN = ShownOnce(cookie="activepieces_new_mcp_token", purpose="new MCP token")


@automation_page("mcp", "view")
def automation_mcp(visit: Visit) -> ResponseReturnValue:
    """The address, what to enter where, the tools and the token."""
    return _show(visit)


@automation_page("mcp", "admin")
def automation_change_mcp(visit: Visit) -> ResponseReturnValue:
    """Switch the server on or off (older servers), switch some of its tools off, or choose those that are on."""
    try:
        changes = _changes()
    except InvalidInput as problem:
        return _show(visit, problem)
    visit.state.tenants.mcp.update(visit.integration, **changes, user_id=visit.principal.user_id)
    return visit.redirect("automation_mcp", done="mcp-changed")


@automation_page("mcp", "admin")
def automation_rotate_mcp(visit: Visit) -> ResponseReturnValue:
    """Replace the token; the new one is shown once, to those who may see it."""
    rotated = visit.state.tenants.mcp.rotate_token(visit.integration, visit.principal)
    if rotated.token is None:
        return visit.redirect("automation_mcp", done="mcp-rotated")
    url = url_for("activepieces.automation_mcp", done="mcp-rotated")
    return _NEW_TOKEN.redirect(visit.state, url, {"token": rotated.token}, context=_context(visit), path=_path())


def _show(visit: Visit, problem: InvalidInput | None = None) -> ResponseReturnValue:
    calls, tenants = Calls(visit.integration), visit.state.tenants
    try:
        server = tenants.mcp.get(visit.integration)
    except CredentialNotSupported:
        return visit.render("mcp_needs_user.html", is_app_key=not visit.integration.has_credentials)
    info = calls.try_call(lambda: tenants.integrations.client_for(visit.integration, "server.info").server.info())
    new_token = _NEW_TOKEN.read(visit.state, context=_context(visit))
    public_url = info.value.public_url if info.value else None
    response = visit.render(
        "mcp.html",
        problem=problem,
        server=server,
        address=_address(visit, server, public_url),
        signs_in=_signs_in(server),
        flow_names=_flow_names(server),
        tools="\n".join(_listed_tools(server)) if problem is None else request.form.get("tools", ""),
        new_token=new_token and new_token["token"],
        may_see_token=visit.state.host.may_see_mcp_token(visit.principal),
    )
    return _NEW_TOKEN.forget(response, path=_path())


def _signs_in(server: McpServer) -> bool:
    """Whether programs sign in with an account, and not with the token: since servers have no switch."""
    return server.dialect is not None and server.enabled is None


def _address(visit: Visit, server: McpServer, public_url: str | None) -> str:
    """Where programs connect; by the address that the server gives itself, which browsers can reach."""
    base_url = visit.integration.base_url or visit.state.settings.base_url
    if _signs_in(server):
        return f"{(public_url or site_url(base_url)).rstrip('/')}/mcp"
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


def _context(visit: Visit) -> str:
    return context_of(visit.principal.tenant_id, visit.principal.user_id, visit.integration.id)


def _path() -> str:
    return url_for("activepieces.automation_mcp")
