"""The five minutes of the page about agents, with its code: from the first 401 to the call of a tool."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.docs.conftest import RunPage
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.agents import McpAgent, text_of
from tests.support.documents import DOCS, page, shell_lines

PAGE = page("mcp")
ADDRESS = "http://127.0.0.1:5000"


@pytest.fixture
def app(run_page: RunPage) -> Iterator[Flask]:
    """What ``flask --app agents run`` runs."""
    app: Flask = run_page(DOCS / "mcp.md")["app"]
    yield app
    hosts.dispose(app)


def test_an_agent_discovers_the_app_asks_a_user_and_calls_the_tool(app: Flask) -> None:
    refused = app.test_client().post("/mcp", base_url=ADDRESS)
    metadata = str(refused.www_authenticate["resource_metadata"]).removeprefix(ADDRESS)
    resource = answer_of(app.test_client().get(metadata))["resource"]
    scope = str(refused.www_authenticate["scope"])
    program, ada = Program.registered(app, scope=scope), Person(app)

    login_page = ada.opens(program.question(scope=scope, resource=resource)).location
    credentials = {"email": "ada@acme.test", "password": "demo"}
    next_url = ada.browser.post(login_page, data=credentials).location
    code = brought_back(ada.sends(ada.sees(next_url).form("decision"), decision="approve"))["code"]
    token = answer_of(program.redeems(code, resource=resource))["access_token"]
    result = McpAgent(app, token).calls("find_invoices", title="anvils")

    assert resource == "http://localhost/mcp"
    assert result["structuredContent"] == {"items": [{"id": 1, "title": "Twelve anvils"}]}
    assert text_of(McpAgent(app, token).calls("find_invoices", title="%")) == '{"items": []}'


def test_the_first_answer_is_as_printed(app: Flask) -> None:
    (command,) = [line for line in shell_lines(PAGE) if line.startswith("curl ")]
    (url,) = re.findall(r"http\S+", command)

    answer = app.test_client().post(url)

    assert f"HTTP/1.1 {answer.status}\nWWW-Authenticate: {answer.headers['WWW-Authenticate']}\n" in PAGE
