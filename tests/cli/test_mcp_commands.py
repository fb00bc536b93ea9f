"""``flask activepieces mcp …``: MCP servers of Activepieces, and this app in its agent steps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.versions import Version
from tests.conftest import MakeApp
from tests.support.api_user import ApiUser
from tests.support.hosts import HostWithLabs
from tests.support.pieces import create_token, make_piece_app
from tests.support.standin import action, standin

from .conftest import Run, RunJson

URL = "https://app.example.com/mcp"


@pytest.fixture
def app(make_app: MakeApp, activepieces_server: ActivepiecesServer) -> Flask:
    options = {
        "ACTIVEPIECES_BASE_URL": activepieces_server.url,
        "ACTIVEPIECES_PUBLIC_URL": "https://app.example.com",
        "SESSION_COOKIE_DOMAIN": None,
    }
    return make_piece_app(make_app, host=HostWithLabs(), **options)[0]


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    return ApiUser.named(app, "alice")


@pytest.fixture
def linked(alice: ApiUser, activepieces_server: ActivepiecesServer) -> str:
    """Acme's integration, with a user."""
    return alice.links(userToken=activepieces_server.user_token(), projectId=activepieces_server.project_id)


@pytest.fixture
def flow_id(activepieces_server: ActivepiecesServer) -> str:
    return standin(activepieces_server).flow(action("step_1", "@activepieces/piece-ai", "run_agent", agentTools=[]))


# --- Servers --------------------------------------------------------------------------------------


def test_the_servers_are_listed_with_masked_tokens(
    run: Run, run_json: RunJson, linked: str, activepieces_server: ActivepiecesServer
) -> None:
    rows = {row["project_id"]: row for row in run_json("mcp", "list", linked, "--json")}
    result = run("mcp", "list", linked)
    table = result.stdout

    assert result.stderr == ""
    row = rows[activepieces_server.project_id]
    assert (row["dialect"], row["disabled_tools"], row["enabled_tools"]) == ("0.85", [], None)
    assert row["token"].startswith("…") and len(row["token"]) == 5
    assert activepieces_server.project_id in table and row["token"] in table


def test_a_list_that_is_cut_says_so(run: Run, linked: str, activepieces_server: ActivepiecesServer) -> None:
    standin(activepieces_server).projects(60)

    table, as_json = run("mcp", "list", linked), run("mcp", "list", linked, "--json")

    assert table.stderr == as_json.stderr == "These are 50 of 60 projects.\n"
    assert len(table.stdout.splitlines()) == 1 + 50
    assert len(json.loads(as_json.stdout)) == 50


def test_the_server_of_the_platform_is_shown(run_json: RunJson, linked: str) -> None:
    (row,) = run_json("mcp", "list", linked, "--platform", "--json")

    assert row["project_id"] is None


@pytest.mark.parametrize(("version", "exit_code"), [("0.78", 1), ("0.83", 0)])
def test_a_server_without_one_is_refused(make_app: MakeApp, version: Version, exit_code: int) -> None:
    with ActivepiecesServer(version=version) as server:
        app = make_app(ACTIVEPIECES_BASE_URL=f"{server.url}/v1")
        linked = ApiUser.named(app, "alice").links(userToken=server.user_token(), projectId=server.project_id)
        result = app.test_cli_runner().invoke(args=["activepieces", "mcp", "list", linked, "--platform"])

    assert result.exit_code == exit_code
    assert ("mcp.get_platform failed" in result.stderr) == bool(exit_code)


def test_an_unknown_integration_is_an_error(run: Run) -> None:
    for command in ("list", "register"):
        result = run("mcp", command, "unknown")

        assert result.exit_code == 1
        assert "integration 'unknown' not found" in result.stderr.lower()


# --- Agent steps ----------------------------------------------------------------------------------


def test_without_a_step_the_steps_and_what_to_enter_are_printed(
    run: Run, run_json: RunJson, linked: str, flow_id: str
) -> None:
    found = run_json("mcp", "register", linked, "--json")
    printed = run("mcp", "register", linked).stdout

    assert found["steps"] == [
        {"flow_id": flow_id, "flow": "A flow", "step": "step_1", "name": "step_1", "uses_this_app": False}
    ]
    assert found["by_hand"]["Server URL"] == URL
    assert flow_id in printed
    assert f"Server URL: {URL}" in printed and "Protocol: Streamable HTTP" in printed
    assert "Activepieces has no list of MCP servers" in printed


def test_a_project_without_such_a_step(run: Run, linked: str) -> None:
    assert "No flow has an agent step." in run("mcp", "register", linked).stdout


def test_what_activepieces_cannot_reach_is_not_added(
    run: Run, alice: ApiUser, linked: str, flow_id: str, tmp_path: Path
) -> None:
    """The address of this app is that of an example."""
    file = tmp_path / "token"
    file.write_text(create_token(alice.person) + "\n")

    result = run("mcp", "register", linked, "--flow", flow_id, "--step", "step_1", "--token-file", str(file))

    assert result.exit_code == 1
    assert "cannot reach the app" in result.stderr


def test_the_endpoint_is_added(
    app: Flask, run: Run, alice: ApiUser, flow_id: str, activepieces_server: ActivepiecesServer
) -> None:
    """With a key, Activepieces cannot be asked whether it reaches the app."""
    linked = alice.links(apiKey=activepieces_server.api_key, projectId=activepieces_server.project_id)
    token = create_token(alice.person)
    command = ("mcp", "register", linked, "--flow", flow_id, "--step", "step_1", "--token-file", "-")

    result = run(*command, input=token)

    assert result.exit_code == 0, result.output
    assert f"Added {URL} to the step step_1 in the draft of A flow." in result.stdout
    assert "Activepieces did not check it: test the step." in result.stdout
    assert token not in result.output
    trigger = standin(activepieces_server).get(f"/flows/{flow_id}")["version"]["trigger"]
    (tool,) = trigger["nextAction"]["settings"]["input"]["agentTools"]
    assert (tool["serverUrl"], tool["auth"]["accessToken"]) == (URL, token)


@pytest.mark.parametrize("typed", ["", "apat_x", "a token"])
def test_a_wrong_token_is_refused(run: Run, linked: str, flow_id: str, typed: str) -> None:
    result = run("mcp", "register", linked, "--flow", flow_id, "--step", "step_1", "--token-file", "-", input=typed)

    assert result.exit_code == 1
    assert "--token-file: It must be a personal access token for this tenant." in result.stderr


def test_the_token_of_another_tenant_is_refused(app: Flask, run: Run, linked: str, flow_id: str) -> None:
    token = create_token(ApiUser.named(app, "carol").person)

    result = run("mcp", "register", linked, "--flow", flow_id, "--step", "step_1", "--token-file", "-", input=token)

    assert result.exit_code == 1


def test_the_token_is_asked_for_without_showing_it(run: Run, alice: ApiUser, linked: str, flow_id: str) -> None:
    token = create_token(alice.person)

    result = run("mcp", "register", linked, "--flow", flow_id, "--step", "step_9", input=token + "\n")

    assert result.exit_code == 1
    assert "Personal access token" in result.stderr and token not in result.output
    assert "not found" in result.stderr


@pytest.mark.parametrize("arguments", [("--flow", "x"), ("--step", "x")])
def test_a_flow_without_a_step_is_wrong_usage(run: Run, linked: str, arguments: tuple[str, str]) -> None:
    assert run("mcp", "register", linked, *arguments).exit_code == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ACTIVEPIECES_MCP": False, "ACTIVEPIECES_PUBLIC_URL": "https://app.example.com"}, "no MCP endpoint"),
        ({}, "set ACTIVEPIECES_PUBLIC_URL"),
    ],
)
def test_an_app_that_no_one_can_reach_is_not_registered(
    make_app: MakeApp, activepieces_server: ActivepiecesServer, options: dict[str, object], message: str
) -> None:
    app = make_piece_app(make_app, host=HostWithLabs(), ACTIVEPIECES_BASE_URL=activepieces_server.url, **options)[0]
    linked = ApiUser.named(app, "alice").links(
        userToken=activepieces_server.user_token(), projectId=activepieces_server.project_id
    )

    result = app.test_cli_runner().invoke(args=["activepieces", "mcp", "register", linked])

    assert result.exit_code == 1
    assert message in result.stderr
