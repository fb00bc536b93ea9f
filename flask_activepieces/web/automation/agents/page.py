"""The page of agents: the address with instructions, who connected one, what they did, which are allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from ....api_client.resources.agent_tools import McpTool
from ....errors import InvalidInput, NotFound
from ....integrations.agent_steps import AgentStep
from ....mcp.call_overview import DAYS, MOST_CALLERS
from ....messages import Message
from ....oauth.clients.policy import checked_policy
from ....oauth.personal_tokens import looks_like_personal_token
from ....state import State
from ..area.upstream import Answer, Calls
from ..area.visit import Visit, automation_page
from .instructions import instructions_for

_PAGE_SIZE = 25
#: How many of the called tools are shown: an app may have a hundred.
_MOST_TOOLS = 20


@automation_page("agents", "view")
def automation_agents(visit: Visit) -> ResponseReturnValue:
    """How to connect an agent; for admins also the connected ones, their calls, and who may connect which."""
    _check_exists(visit)
    return _show(visit)


@automation_page("agents", "admin")
def automation_agent_policy(visit: Visit) -> ResponseReturnValue:
    """Decide which agents users may connect."""
    _check_exists(visit)
    mode, hosts = request.form.get("mode", ""), request.form.get("hosts", "")
    try:
        # What is in the field of hosts counts only for the choice that it belongs to.
        policy = checked_policy(mode, hosts.split() if mode == "listed" else [])
    except InvalidInput as problem:
        return _show(visit, problem, policy={"mode": mode, "hosts": hosts})
    visit.state.client_policies.set(visit.principal.tenant_id, policy, user_id=visit.principal.user_id)
    return visit.redirect("automation_agents", done="policy-saved")


@automation_page("agents", "admin")
def automation_agent_step(visit: Visit) -> ResponseReturnValue:
    """Add this app to an agent step in Activepieces."""
    _check_exists(visit)
    flow_id, _, step_name = request.form.get("step", "").partition("/")
    try:
        url, token = visit.state.mcp_resource(), _own_token(visit)
        tool = McpTool(name=instructions_for(visit.state).name, url=url, access_token=token)
        added = visit.state.tenants.agent_steps.add(
            visit.integration, flow_id, step_name, tool, user_id=visit.principal.user_id
        )
    except InvalidInput as problem:
        return _show(visit, problem)
    done = "agent-step-unchecked" if added.tools is None else "agent-step-changed"
    return visit.redirect("automation_agents", done=done)


def _check_exists(visit: Visit) -> None:
    """`NotFound` if the app has no endpoint for agents."""
    if visit.page not in visit.pages:
        raise NotFound("page", visit.page)


def _own_token(visit: Visit) -> str:
    """A personal access token of this user in this workspace: what an agent does with it, it does as this user."""
    text = request.form.get("token", "").strip()
    token = visit.state.personal_tokens.find(text) if looks_like_personal_token(text) else None
    if token is None or (token.user_id, token.tenant_id) != (visit.principal.user_id, visit.principal.tenant_id):
        raise InvalidInput({"token": Message("Paste a personal access token of yours for this workspace.")})
    return text


def _show(visit: Visit, problem: InvalidInput | None = None, *, policy: Mapping[str, str] | None = None) -> Response:
    for_admins = _for_admins(visit, policy) if visit.allows("admin") else {}
    return visit.render("agents.html", problem=problem, instructions=instructions_for(visit.state), **for_admins)


def _for_admins(visit: Visit, policy: Mapping[str, str] | None) -> dict[str, Any]:
    state, tenant_id = visit.state, visit.principal.tenant_id
    agents = state.connected_agents.list(tenant_id, limit=_PAGE_SIZE, cursor=request.args.get("cursor"))
    stored = state.client_policies.get(tenant_id)
    # What this worker has counted and not stored yet.
    state.tool_calls.store()
    calls, callers = state.call_overview.recent(tenant_id), state.call_overview.callers(tenant_id)
    user_ids = sorted({agent.user_id for agent in agents.items} | {caller.user_id for caller in callers})
    return {
        "agents": agents,
        "names": state.host.display_names(user_ids, tenant_id) if user_ids else {},
        "calls": calls[:_MOST_TOOLS],
        "called_tools": len(calls),
        "callers": callers,
        "most_callers": MOST_CALLERS,
        "titles": _tool_titles(state),
        "days": DAYS,
        "policy": policy or {"mode": stored.mode, "hosts": "\n".join(stored.hosts)},
        "steps": _steps(visit),
    }


def _tool_titles(state: State) -> Mapping[str, str]:
    return {name: tool.action.title for name, tool in state.mcp.catalogue.tools.items()}


def _steps(visit: Visit) -> Answer[Sequence[AgentStep]] | None:
    """The agent steps in Activepieces; None without a project of the workspace's own."""
    integration = visit.found_integration
    if integration is None or visit.state.tenants.integrations.shares_project(integration):
        return None
    return Calls(integration).try_call(partial(visit.state.tenants.agent_steps.list, integration))
