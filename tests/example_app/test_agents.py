"""Agents of two companies: neither sees or changes what belongs to the other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from example_app.models import Task, User, db
from tests.support.agents import McpAgent

from .actors import ALL_SCOPES

SECRET = "Buy the competitor"
SAMPLES = ("trigger://task_created/samples", "trigger://task_done/samples")


def agent_of(app: Flask, email: str, company: str) -> McpAgent:
    """An agent with a token of this user for this company."""
    with app.app_context():
        user_id = str(db.session.scalars(select(User.id).filter_by(email=email)).one())
    command = ["activepieces", "tokens", "create", "--user", user_id, "--tenant", company, "--name", "Agent"]
    result = app.test_cli_runner().invoke(args=[*command, "--scope", ALL_SCOPES, "--json"])
    assert result.exit_code == 0, result.output
    return McpAgent(app, json.loads(result.stdout)["token"])


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


def everything_that(agent: McpAgent, task_id: int) -> str:
    """What every tool and every sample tells the agent, when it tries to get at the task."""
    arguments: dict[str, dict[str, Any]] = {
        "change_task": {"task_id": task_id, "title": "Stolen", "done": True},
        "create_task": {"title": "Ours"},
        "import_tasks": {"file": "b3Vycw=="},
    }
    told = [agent.asks("tools/call", {"name": tool, "arguments": arguments.get(tool, {})}) for tool in agent.tools()]
    return json.dumps(told + [agent.asks("resources/read", {"uri": uri}) for uri in SAMPLES])


def test_an_agent_of_the_company_sees_and_changes_its_task(tasklane: Flask, acme: McpAgent, task_id: int) -> None:
    """The attempts below would succeed for the right company."""
    assert set(acme.tools()) == {"change_task", "create_task", "import_tasks", "list_tasks"}
    assert SECRET in json.dumps(acme.calls("list_tasks"))

    everything_that(acme, task_id)

    with tasklane.app_context():
        assert db.session.get_one(Task, task_id).title == "Stolen"


def test_an_agent_of_another_company_sees_and_changes_nothing(
    tasklane: Flask, globex: McpAgent, task_id: int
) -> None:
    told = everything_that(globex, task_id)

    assert SECRET not in told
    assert "anvils" not in told, "nor any other task of Acme"
    assert "office plants" in told
    with tasklane.app_context():
        task = db.session.get_one(Task, task_id)
        assert (task.title, task.done, task.company_id) == (SECRET, False, "acme")
        assert {each.company_id for each in db.session.scalars(select(Task).filter_by(title="Ours"))} == {"globex"}
