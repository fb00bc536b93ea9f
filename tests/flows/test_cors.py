"""Agents in a web page may call the endpoints that read no cookie; no other page of the app is open to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from flask_activepieces import Activepieces
from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.agents import MODERN, McpAgent
from tests.support.pieces import create_token, make_piece_app
from tests.support.storage import database_away

ORIGIN = "https://inspector.test"
ENDPOINTS = [
    ("POST", "/oauth/token"),
    ("POST", "/oauth/revoke"),
    ("POST", "/oauth/register"),
    ("GET", "/oauth/register/x"),
    ("DELETE", "/oauth/register/x"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/oauth-protected-resource"),
    ("GET", "/.well-known/oauth-protected-resource/mcp"),
    ("GET", "/oauth/jwks.json"),
]


@pytest.fixture(scope="module")
def app(make_shared_app: MakeApp) -> Flask:
    return make_shared_app(ACTIVEPIECES_DYNAMIC_REGISTRATION=True, ACTIVEPIECES_MCP=True)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_page_of_any_origin_may_call_the_endpoints_of_agents(app: Flask, method: str, path: str) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "mcp-protocol-version",
    }

    preflight = app.test_client().options(path, headers=headers)
    response = app.test_client().open(path, method=method, headers={"Origin": ORIGIN})

    assert preflight.status_code == 204
    assert method in preflight.headers["Access-Control-Allow-Methods"]
    assert "MCP-Protocol-Version" in preflight.headers["Access-Control-Allow-Headers"]
    for each in (preflight, response):
        assert each.headers.getlist("Access-Control-Allow-Origin") == ["*"]
        # Without it, browsers send no cookies to an address that allows all origins.
        assert "Access-Control-Allow-Credentials" not in each.headers


def test_errors_can_be_read_too(app: Flask) -> None:
    response = app.test_client().post("/oauth/token", data={"grant_type": "x"}, headers={"Origin": ORIGIN})

    assert response.status_code == 400
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "WWW-Authenticate" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "path",
    [
        "/oauth/authorize",
        "/oauth/connected-apps",
        "/oauth/clients",
        "/oauth/introspect",
        "/api/integration/activepieces/setup",
        "/api/whoami",
        "/",
    ],
)
def test_nothing_else_is_open_to_other_origins(app: Flask, path: str) -> None:
    alice = Person(app, "alice")
    program = Program.registered(app)

    for response in (
        alice.browser.get(path, headers={"Origin": ORIGIN}),
        alice.browser.options(path, headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}),
        program.calls("x", path),
    ):
        assert "Access-Control-Allow-Origin" not in response.headers


# --- The endpoint of agents -----------------------------------------------------------------------

#: A page that may call an app on this machine.
INSPECTOR = "http://localhost:6274"
#: How to get each error from the endpoint.
ERRORS: dict[int, Callable[[McpAgent], TestResponse]] = {
    400: lambda agent: agent.posts(b"{", Origin=INSPECTOR),
    401: lambda agent: agent.sends("ping", Origin=INSPECTOR, Authorization="Bearer x"),
    403: lambda agent: agent.sends("tools/call", {"name": "create_task"}, Origin=INSPECTOR),
    404: lambda agent: agent.sends("unknown", Origin=INSPECTOR),
    405: lambda agent: agent.posts(b"", method="GET", Origin=INSPECTOR),
    406: lambda agent: agent.sends("ping", Origin=INSPECTOR, Accept="text/html"),
    413: lambda agent: agent.posts(b"x" * 5000, Origin=INSPECTOR),
    415: lambda agent: agent.sends("ping", Origin=INSPECTOR, Content_Type="text/plain"),
    429: lambda agent: [agent.sends("tools/list", Origin=INSPECTOR) for _ in range(4)][-1],
}


@pytest.fixture
def agent(make_app: MakeApp) -> McpAgent:
    """An agent that may only read, of an app with small limits."""
    app, _ = make_piece_app(make_app, MAX_CONTENT_LENGTH=4000, ACTIVEPIECES_MCP_TOKEN_LIMIT=3)
    return McpAgent(app, create_token(Person(app, "bob"), scope="profile:read tasks:read"), MODERN)


def assert_readable(response: TestResponse, status: int) -> None:
    assert response.status_code == status
    assert response.headers.getlist("Access-Control-Allow-Origin") == [INSPECTOR]
    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize("status", ERRORS)
def test_a_page_can_read_each_error_of_the_endpoint(agent: McpAgent, status: int) -> None:
    assert_readable(ERRORS[status](agent), status)


def test_a_page_can_read_that_the_database_is_away(agent: McpAgent) -> None:
    with database_away(agent.app):
        response = agent.sends("tools/list", Origin=INSPECTOR)

    assert_readable(response, 503)
    assert response.headers["Retry-After"]


def test_a_page_can_read_that_the_app_is_not_set_up(make_app: MakeApp) -> None:
    def declare(activepieces: Activepieces) -> None:
        activepieces.action("unknown_scope", scope="x:y", description="Does it.")(lambda: None)

    app = make_app(declare=declare, ACTIVEPIECES_MCP=True)

    assert_readable(McpAgent(app, "x").sends("tools/list", Origin=INSPECTOR), 500)
