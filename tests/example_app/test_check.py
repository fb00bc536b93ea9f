"""``python -m example_app --check``: runs the whole scenario, reports failures, and cleans up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from example_app.check import STEPS, check, setup_steps
from example_app.check.browser import Browser
from example_app.check.report import CheckFailed, describe, json_body
from example_app.check.run import CheckRun
from example_app.check.servers import ActivepiecesAccess, serve_tasklane
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.testing import ActivepiecesServer
from tests.support.databases import fresh_database
from tests.support.servers import ROOT


def outcomes(output: str) -> dict[str, str]:
    """The outcome of each step: ok, FAIL, or -- if it was skipped."""
    parsed = (line.split(":", 1)[0].split(maxsplit=1) for line in output.splitlines())
    return {step: outcome for outcome, step in parsed}


@pytest.fixture
def activepieces() -> Iterator[ActivepiecesServer]:
    """A running server; the check cannot distinguish it from a real one."""
    with ActivepiecesServer() as server:
        yield server


@pytest.fixture
def named_server(activepieces: ActivepiecesServer, monkeypatch: pytest.MonkeyPatch) -> ActivepiecesServer:
    """A running server that the environment names."""
    monkeypatch.setenv("ACTIVEPIECES_BASE_URL", activepieces.url)
    monkeypatch.setenv("ACTIVEPIECES_API_KEY", activepieces.api_key)
    monkeypatch.setenv("ACTIVEPIECES_PROJECT_ID", activepieces.project_id)
    return activepieces


def test_all_steps_succeed_on_sqlite_without_configuration(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "example_app", "--check"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert process.returncode == 0, process.stdout + process.stderr
    assert outcomes(process.stdout) == dict.fromkeys([*dict(STEPS), "clean up"], "ok")


@pytest.mark.long
@pytest.mark.postgres
def test_all_steps_succeed_on_postgresql_with_a_server_of_the_environment(
    tmp_path: Path,
    named_server: ActivepiecesServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fresh_database("postgres", tmp_path) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        succeeded = check()

    output = capsys.readouterr().out
    assert succeeded, output
    assert outcomes(output)["mcp"] == "--"
    assert "CHECK_EMAIL" in output
    assert named_server.api_key not in output
    client = ActivepiecesClient(named_server.url, api_key=named_server.api_key)
    assert list(client.connections.list(named_server.project_id)) == []
    assert list(client.flows.list(named_server.project_id)) == []


@pytest.fixture
def make_run(activepieces: ActivepiecesServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., CheckRun]]:
    """Create a run with the app at a local port, configured by the environment, whose admin is signed in."""
    with ExitStack() as stack:

        def make(**environment: str) -> CheckRun:
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            access = ActivepiecesAccess(activepieces.url, activepieces.api_key)
            app, url = stack.enter_context(serve_tasklane(os.environ, access, host="127.0.0.1", port=0))
            admin = stack.enter_context(closing(Browser(url)))
            client = ActivepiecesClient(activepieces.url, api_key=activepieces.api_key)
            run = CheckRun(app, access, admin, client)
            setup_steps.sign_in(run)
            return run

        yield make


AGENT_STEPS = [step for name, step in STEPS if name.startswith("agent ")]


def test_agent_goes_the_whole_way_and_its_registration_is_removed(make_run: Callable[..., CheckRun]) -> None:
    run = make_run()

    for step in AGENT_STEPS:
        step(run)
    registration = run.agent.registration
    for _, remove in run.clean_ups:
        remove()

    headers = {"Authorization": f"Bearer {registration['registration_access_token']}"}
    assert requests.get(registration["registration_client_uri"], headers=headers, timeout=5).status_code == 401


def test_agent_is_registered_by_hand_where_it_may_not_register(make_run: Callable[..., CheckRun]) -> None:
    run = make_run(ACTIVEPIECES_DYNAMIC_REGISTRATION="false")

    said = [step(run) for step in AGENT_STEPS]

    assert f"agents may not register themselves, so an admin registered {run.agent.client_id}" in said
    assert [name for name, _ in run.clean_ups] == [f"OAuth client {run.agent.client_id}"]


def test_endpoint_that_is_off_fails_the_first_step_of_the_agent(make_run: Callable[..., CheckRun]) -> None:
    run = make_run(ACTIVEPIECES_MCP="false")

    with pytest.raises(CheckFailed, match="expected 401 .* got 404; check ACTIVEPIECES_MCP"):
        AGENT_STEPS[0](run)


def test_invalid_key_fails_the_first_step_that_uses_it(
    named_server: ActivepiecesServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACTIVEPIECES_API_KEY", "sk-invalid")

    assert not check()

    output = capsys.readouterr().out
    assert outcomes(output) == {"sign in": "ok", "piece": "FAIL", "clean up": "ok"}
    assert "there was nothing to remove" in output


def test_failure_names_the_allow_list_if_activepieces_cannot_reach_the_app(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ActivepiecesServer(ssrf_allow_list=()) as server:
        monkeypatch.setenv("ACTIVEPIECES_BASE_URL", server.url)
        monkeypatch.setenv("ACTIVEPIECES_API_KEY", server.api_key)
        monkeypatch.setenv("ACTIVEPIECES_PROJECT_ID", server.project_id)

        assert not check()

        client = ActivepiecesClient(server.url, api_key=server.api_key)
        assert list(client.connections.list(server.project_id)) == []
    output = capsys.readouterr().out
    assert outcomes(output)["one click"] == "FAIL"
    assert "AP_SSRF_ALLOW_LIST" in output
    assert re.search(r"clean up: removed connection \S+, the link of Acme$", output, re.MULTILINE)
    assert "flow" not in outcomes(output)


@pytest.mark.long
def test_user_can_replace_the_api_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The Community Edition has no API keys."""
    with ActivepiecesServer(edition="ce") as server:
        monkeypatch.setenv("ACTIVEPIECES_BASE_URL", server.url)
        monkeypatch.setenv("ACTIVEPIECES_PROJECT_ID", server.project_id)
        monkeypatch.setenv("CHECK_EMAIL", server.email)
        monkeypatch.setenv("CHECK_PASSWORD", server.password)

        succeeded = check()

    output = capsys.readouterr().out
    assert succeeded, output
    assert outcomes(output) == dict.fromkeys([*dict(STEPS), "clean up"], "ok")
    assert server.password not in output


def test_failure_says_how_to_install_a_missing_webhook_piece(
    named_server: ActivepiecesServer, capsys: pytest.CaptureFixture[str]
) -> None:
    store = named_server.state.store
    for row in store.all("piece", name="@activepieces/piece-webhook"):
        store.drop("piece", row["id"])

    assert not check()

    output = capsys.readouterr().out
    assert outcomes(output) == {"sign in": "ok", "piece": "FAIL", "clean up": "ok"}
    assert "npm pack @activepieces/piece-webhook" in output


BASE_URL = {"ACTIVEPIECES_BASE_URL": "https://activepieces.example.com"}
USER = {"CHECK_EMAIL": "ada@example.com", "CHECK_PASSWORD": "a password"}


@pytest.mark.parametrize(
    "environment",
    [
        BASE_URL,
        {"ACTIVEPIECES_API_KEY": "sk-key"},
        USER,
        BASE_URL | {"CHECK_EMAIL": "ada@example.com"},
        BASE_URL | {"ACTIVEPIECES_API_KEY": "sk-key", "CHECK_PASSWORD": "a password"},
    ],
    ids=["address", "key", "user", "no password", "no e-mail"],
)
def test_incomplete_environment_does_not_start_a_stand_in(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert not check()

    output = capsys.readouterr().out
    assert outcomes(output) == {"start": "FAIL"}
    for name in ("ACTIVEPIECES_BASE_URL", "ACTIVEPIECES_API_KEY", *USER):
        assert name in output


def response_with(status: int, content: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, content
    response.request = requests.Request("POST", "http://127.0.0.1/setup").prepare()
    return response


def test_failure_says_what_was_expected_what_came_and_what_to_check() -> None:
    response = response_with(422, b'{"detail": "Activepieces does not accept the key."}')

    with pytest.raises(CheckFailed) as failure:
        json_body(response, 201, check="the key")

    assert str(failure.value) == (
        "expected 201 from POST /setup, got 422 (Activepieces does not accept the key.); check the key"
    )


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}"])
def test_response_without_a_detail_is_described_by_its_status(content: bytes) -> None:
    assert describe(response_with(502, content)) == "502"
