"""The check of an MCP server for an agent step."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client.errors import CallNotSupported, RouteNotFound
from flask_activepieces.api_client.resources.agent_tools import AgentTools, McpTool
from tests.support.calls import FakeTransport, answer, says

TOOL = McpTool(name="tasks", url="https://app.example.com/mcp", access_token="apat_secret")  # noqa: S106
PROJECT = "H4SMHoAgJs8TNlXiaOIoV"


def test_the_tools_of_a_server_are_named() -> None:
    transport = says({"toolNames": ["add_note", "count_notes"]})

    assert AgentTools(transport).check(PROJECT, TOOL) == ["add_note", "count_notes"]
    assert transport.lines == [f"POST /projects/{PROJECT}/agent-tools/mcp/validate"]
    assert transport.last.body == {
        "type": "MCP",
        "toolName": "tasks",
        "serverUrl": "https://app.example.com/mcp",
        "protocol": "streamable-http",
        "auth": {"type": "access_token", "accessToken": "apat_secret"},
    }


@pytest.mark.parametrize(
    "body", [{"error": "Could not validate MCP server."}, {}, [], {"toolNames": None}, {"toolNames": "x"}]
)
def test_a_server_that_cannot_be_used_is_refused(body: Any) -> None:
    with pytest.raises(CallNotSupported) as refused:
        AgentTools(says(body)).check(PROJECT, TOOL)

    assert "cannot use this MCP server" in str(refused.value)
    assert "apat_secret" not in f"{refused.value} {refused.value!r} {TOOL!r}"


def test_an_older_server_has_no_such_route() -> None:
    body = {"statusCode": 404, "error": "Not Found", "message": "Route not found"}

    with pytest.raises(RouteNotFound):
        AgentTools(FakeTransport([answer(404, body)])).check(PROJECT, TOOL)
