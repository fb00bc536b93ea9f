"""Agents of two companies: neither sees or changes what belongs to the other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from example_app.models import Task, db
from tests.support.agents import McpAgent, result_of

from .actors import ALL_SCOPES, Person, Program

SECRET = "Buy the competitor"
SAMPLES = ("trigger://task_created/samples", "trigger://task_done/samples")


def agent_of(app: Flask, email: str, company: str) -> McpAgent:
    """An agent that this user allowed everything in this company."""
    program = Program.register(app).connect(Person(app, email), resource="http://localhost/mcp", workspace=company)
    return McpAgent(app, program.token["access_token"])


@pytest.fixture
def acme(tasklane: Flask) -> McpAgent:
    return agent_of(tasklane, "admin@acme.test", "acme")


@pytest.fixture
def globex(tasklane: Flask) -> McpAgent:
    return agent_of(tasklane, "admin@globex.test", "globex")


@pytest.fixture
def task_id(acme: McpAgent) -> int:
    """A task of Acme."""
    created: dict[str, Any] = acme.calls("create_task", title=SECRET)
    return int(created["structuredContent"]["id"])


def arguments_for(tool: str, task_id: int) -> dict[str, Any]:
    """Arguments that the tool accepts."""
    arguments: dict[str, dict[str, Any]] = {
        "change_task": {"task_id": task_id, "title": "Stolen", "done": True},
        "create_task": {"title": "Ours"},
        "import_tasks": {"file": "b3Vycw=="},
    }
    return arguments.get(tool, {})


def everything_that(agent: McpAgent, task_id: int) -> dict[str, dict[str, Any]]:
    """The results of every tool and every sample, when the agent tries to get at the task."""
    results = {tool: agent.calls(tool, **arguments_for(tool, task_id)) for tool in agent.tools()}
    return results | {uri: agent.asks("resources/read", {"uri": uri}) for uri in SAMPLES}


def test_an_agent_of_the_company_sees_and_changes_its_task(tasklane: Flask, acme: McpAgent, task_id: int) -> None:
    """The attempts below would succeed for the right company."""
    assert set(acme.tools()) == {"change_task", "create_task", "import_tasks", "list_tasks"}
    assert SECRET in json.dumps(acme.calls("list_tasks"))

    results = everything_that(acme, task_id)

    assert [tool for tool, result in results.items() if result.get("isError")] == []
    with tasklane.app_context():
        assert db.session.get_one(Task, task_id).title == "Stolen"


def test_an_agent_of_another_company_sees_and_changes_nothing(
    tasklane: Flask, globex: McpAgent, task_id: int
) -> None:
    results = everything_that(globex, task_id)
    told = json.dumps(results)

    assert [tool for tool, result in results.items() if result.get("isError")] == ["change_task"]
    assert SECRET not in told
    assert "anvils" not in told, "nor any other task of Acme"
    assert "office plants" in told
    with tasklane.app_context():
        task = db.session.get_one(Task, task_id)
        assert (task.title, task.done, task.company_id) == (SECRET, False, "acme")
        assert {each.company_id for each in db.session.scalars(select(Task).filter_by(title="Ours"))} == {"globex"}


@pytest.mark.parametrize("scope", ["profile:read", "profile:read tasks:read", "profile:read tasks:write", ALL_SCOPES])
def test_an_agent_may_only_call_what_its_user_allowed(tasklane: Flask, task_id: int, scope: str) -> None:
    """And the API of the app refuses its token, whatever it is allowed."""
    admin = Person(tasklane, "admin@acme.test")
    program = Program.register(tasklane).connect(
        admin, requested_scope=scope, resource="http://localhost/mcp", workspace="acme"
    )
    agent = McpAgent(tasklane, program.token["access_token"])
    of_reading, of_writing = {"list_tasks"}, {"change_task", "create_task", "import_tasks"}
    allowed = (of_reading if "tasks:read" in scope else set()) | (of_writing if "tasks:write" in scope else set())

    assert set(agent.tools()) == allowed
    for tool in of_reading | of_writing:
        answer = agent.sends("tools/call", {"name": tool, "arguments": arguments_for(tool, task_id)})
        if tool in allowed:
            assert result_of(answer)["isError"] is False, tool
        else:
            assert answer.status_code == 403, tool
    for method, path in (("GET", "/api/me"), ("GET", "/api/tasks"), ("POST", "/api/tasks")):
        assert program.call(method, path).status_code == 401
