"""Agents in a web page may call the endpoints that read no cookie; no other page of the app is open to them."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person, Program

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


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(ACTIVEPIECES_DYNAMIC_REGISTRATION=True, ACTIVEPIECES_MCP=True)


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
