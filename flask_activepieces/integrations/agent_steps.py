"""The agent steps in a tenant's flows, to which the app's own MCP endpoint can be added as a tool.

Activepieces has no central list of MCP servers. So the endpoint is added to a single step in the draft of its flow,
with the same operation as in the builder. Nothing is published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..api_client.errors import CallNotSupported, CredentialNotSupported, RouteNotFound
from ..api_client.resources.agent_tools import AGENT_ACTION, AGENT_PIECES, TOOLS_INPUT, McpTool
from ..api_client.resources.flows import Flow
from ..errors import InvalidInput, NotFound
from ..messages import Message
from .dependencies import Dependencies
from .store import Integration

#: The members of a step that contain other steps: of a loop, an older branch or a router, and the next step.
_INNER_STEPS = ("firstLoopAction", "onSuccessAction", "onFailureAction")
_BRANCHES = "children"
_NEXT_STEP = "nextAction"


@dataclass(frozen=True, kw_only=True)
class AgentStep:
    """An agent step in the newest version of a flow."""

    flow_id: str
    flow_name: str
    #: Its name in the flow, such as ``step_2``, and its name for people.
    name: str
    display_name: str
    #: The addresses of the MCP servers that it uses.
    servers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AddedTool:
    """The endpoint in an agent step, and the tools that Activepieces found there; None if it did not check."""

    step: AgentStep
    tools: Sequence[str] | None


class TenantAgentSteps:
    """Lists the agent steps of an integration's project, and adds an MCP server to one."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    def list(self, integration: Integration) -> Sequence[AgentStep]:
        """The agent steps of all flows."""
        client = self._deps.client_factory.client_for(integration, "flows.list")
        flows = client.flows.list(integration.project_id)
        return [_agent_step(flow, step) for flow in flows for step in _agent_steps(flow)]

    def add(
        self, integration: Integration, flow_id: str, step_name: str, tool: McpTool, *, user_id: str | None
    ) -> AddedTool:
        """Add the server to the draft of the flow. It replaces one with the same address.

        `InvalidInput` if Activepieces checks the server and cannot use it. The token becomes a part of the flow, so
        everyone who can edit the flow can read it.
        """
        flow = self._deps.client_factory.client_for(integration, "flows.get").flows.get(flow_id)
        step = next((each for each in _agent_steps(flow) if each["name"] == step_name), None)
        if flow.project_id != integration.project_id or step is None:
            raise NotFound("agent step", f"{flow_id}/{step_name}")
        tools = self._check(integration, tool)
        flows = self._deps.client_factory.client_for(integration, "flows.apply").flows
        changed = flows.apply(flow_id, "UPDATE_ACTION", _with_tool(step, tool))
        self._record(integration, changed, user_id)
        return AddedTool(step=_agent_step(changed, _step_named(changed, step_name)), tools=tools)

    def _check(self, integration: Integration, tool: McpTool) -> Sequence[str] | None:
        try:
            client = self._deps.client_factory.client_for(integration, "agent_tools.check")
            return client.agent_tools.check(integration.project_id, tool)
        except (CredentialNotSupported, RouteNotFound):
            return None  # API keys are not accepted, and older servers lack the route
        except CallNotSupported:
            raise InvalidInput(
                {"token": Message("Activepieces cannot use this app with this token, or cannot reach the app.")}
            ) from None

    def _record(self, integration: Integration, flow: Flow, user_id: str | None) -> None:
        detail = {"flow_id": flow.id, "flow": flow.display_name}
        self._deps.database.run_in_transaction(
            lambda transaction: self._deps.record(
                transaction, "agent_step.changed", integration, None, user_id=user_id, **detail
            )
        )


def _agent_steps(flow: Flow) -> Iterator[Mapping[str, Any]]:
    return (step for step in _steps(flow.version.trigger) if _is_agent_step(step))


def _steps(step: object) -> Iterator[Mapping[str, Any]]:
    """The step, and all steps after and inside it. Ignores values that are not steps."""
    waiting = [step]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, Mapping):
            continue
        yield current
        branches = current.get(_BRANCHES)
        inner = [current.get(name) for name in _INNER_STEPS]
        inner += branches if isinstance(branches, list) else []
        waiting += reversed([*inner, current.get(_NEXT_STEP)])


def _is_agent_step(step: Mapping[str, Any]) -> bool:
    settings = step.get("settings")
    return (
        isinstance(settings, Mapping)
        and isinstance(step.get("name"), str)
        and settings.get("pieceName") in AGENT_PIECES
        and settings.get("actionName") == AGENT_ACTION
    )


def _step_named(flow: Flow, name: str) -> Mapping[str, Any]:
    return next((step for step in _agent_steps(flow) if step["name"] == name), {"name": name})


def _tools(step: Mapping[str, Any]) -> list[Any]:
    inputs = step.get("settings", {}).get("input")
    tools = inputs.get(TOOLS_INPUT) if isinstance(inputs, Mapping) else None
    return list(tools) if isinstance(tools, list) else []


def _server_of(tool: object) -> str | None:
    return str(tool.get("serverUrl")) if isinstance(tool, Mapping) and tool.get("type") == "MCP" else None


def _agent_step(flow: Flow, step: Mapping[str, Any]) -> AgentStep:
    return AgentStep(
        flow_id=flow.id,
        flow_name=flow.display_name,
        name=str(step["name"]),
        display_name=str(step.get("displayName") or step["name"]),
        servers=tuple(filter(None, map(_server_of, _tools(step)))),
    )


def _with_tool(step: Mapping[str, Any], tool: McpTool) -> dict[str, Any]:
    """The request that changes this step, without the steps after it."""
    others = [each for each in _tools(step) if _server_of(each) != tool.url]
    settings = step["settings"]
    inputs = {**(settings.get("input") or {}), TOOLS_INPUT: [*others, tool.to_json()]}
    own = {name: value for name, value in step.items() if name not in (*_INNER_STEPS, _BRANCHES, _NEXT_STEP)}
    return {**own, "settings": {**settings, "input": inputs}}
