"""Agent steps are found wherever they are in a flow, and only the one that is meant is changed."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client.resources.agent_tools import McpTool
from flask_activepieces.errors import NotFound
from tests.support.service_harness import ServiceHarness
from tests.support.standin import action, standin

TOOL = McpTool(name="app", url="https://app.example.com/mcp", access_token="apat_x")  # noqa: S106
AGENT = "@activepieces/piece-ai"


def agent(name: str, **inner: Any) -> dict[str, Any]:
    return {**action(name, AGENT, "run_agent", prompt="Do it"), **inner}


def import_flow(harness: ServiceHarness, project_id: str, first: dict[str, Any]) -> str:
    """A flow as the builder stores it, with loops and branches."""
    client = harness.platform_client()
    flow = client.flows.create(project_id, "Nested")
    trigger = {"name": "trigger", "type": "EMPTY", "valid": False, "displayName": "x", "settings": {}}
    request = {"displayName": "Nested", "trigger": {**trigger, "nextAction": first}, "schemaVersion": "22"}
    client.flows.apply(flow.id, "IMPORT_FLOW", request)
    return flow.id


def test_steps_in_loops_and_branches_are_found(harness: ServiceHarness) -> None:
    integration = harness.set_up()
    loop = {
        **action("step_1", "x", "y"),
        "type": "LOOP_ON_ITEMS",
        "firstLoopAction": agent("step_2", nextAction=agent("step_3")),
    }
    router = {**action("step_4", "x", "y"), "type": "ROUTER", "children": [agent("step_5"), None, agent("step_6")]}
    other = action("step_7", AGENT, "ask_ai")
    older = action("step_8", "@activepieces/piece-agent", "run_agent")
    strange = {"name": "step_9", "type": "CODE", "displayName": "x", "valid": True, "settings": {"input": "x"}}
    chain = [loop, router, other, older, strange]
    for step, following in zip(chain, chain[1:], strict=False):
        step["nextAction"] = following
    import_flow(harness, integration.project_id, loop)

    found = harness.services.agent_steps.list(integration)

    assert [step.name for step in found] == ["step_2", "step_3", "step_5", "step_6", "step_8"]
    assert {(step.flow_name, step.servers) for step in found} == {("Nested", ())}


def test_only_the_step_itself_is_sent(harness: ServiceHarness) -> None:
    integration = harness.set_up()
    flow_id = import_flow(harness, integration.project_id, agent("step_1", nextAction=agent("step_2")))

    added = harness.services.agent_steps.add(integration, flow_id, "step_1", TOOL, user_id="alice")

    assert (added.step.name, added.step.servers, added.tools) == ("step_1", (TOOL.url,), None)
    servers = {step.name: step.servers for step in harness.services.agent_steps.list(integration)}
    assert servers == {"step_1": (TOOL.url,), "step_2": ()}
    assert harness.event_names[-1] == "agent_step.changed"


def test_a_step_of_another_project_is_not_found(harness: ServiceHarness) -> None:
    """The tenant's key may access it."""
    integration = harness.set_up()
    flow_id = import_flow(harness, harness.new_project(), agent("step_1"))

    with pytest.raises(NotFound):
        harness.services.agent_steps.add(integration, flow_id, "step_1", TOOL, user_id="alice")

    flow = standin(harness.upstream).get(f"/flows/{flow_id}")
    assert "agentTools" not in flow["version"]["trigger"]["nextAction"]["settings"]["input"]
    assert "agent_step.changed" not in harness.event_names
