"""``flask activepieces doctor``."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.cli.conftest import Run
from tests.conftest import MakeApp
from tests.support.documents import ROOT, blocks, page
from tests.support.hosts import SECRET_KEY
from tests.support.raw_server import RawServer, raw_server
from tests.support.storage import database_away


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(clock=time.time)


def test_a_healthy_app_exits_with_0(run: Run) -> None:
    result = run("doctor")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "No problems found.\n", "")


def test_a_healthy_app_as_json(run: Run) -> None:
    result = run("doctor", "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (0, {"healthy": True, "findings": []})


def test_an_error_exits_with_1_and_has_its_remedy(app: Flask, run: Run) -> None:
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"

    result = run("doctor")

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Error: cookie-samesite-strict",
        "  Seen:   SESSION_COOKIE_SAMESITE is Strict.",
        "  Why:    Users who come from Activepieces appear signed out, and a sign-in at a third party cannot",
        "          be completed.",
        '  Remedy: Set SESSION_COOKIE_SAMESITE to "Lax".',
        "",
        "Found 1 error and 0 warnings.",
    ]


def test_an_error_as_json(app: Flask, run: Run) -> None:
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"

    result = run("doctor", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "healthy": False,
        "findings": [
            {
                "code": "cookie-samesite-strict",
                "level": "error",
                "tenant_id": None,
                "seen": "SESSION_COOKIE_SAMESITE is Strict.",
                "why": "Users who come from Activepieces appear signed out, and a sign-in at a third party cannot"
                " be completed.",
                "remedy": 'Set SESSION_COOKIE_SAMESITE to "Lax".',
            }
        ],
    }


def test_warnings_exit_with_0_and_come_after_errors(make_app: MakeApp) -> None:
    app = make_app(clock=time.time, ACTIVEPIECES_SECRET_KEYS=["abcdefgh" * 4])

    def doctor() -> tuple[int, list[str]]:
        result = app.test_cli_runner().invoke(args=["activepieces", "doctor", "--json"])
        return result.exit_code, [finding["level"] for finding in json.loads(result.stdout)["findings"]]

    assert doctor() == (0, ["warning"])
    app.config["SESSION_COOKIE_PATH"] = "/elsewhere"
    assert doctor() == (1, ["error", "warning"])


def test_an_impossible_tenant_is_wrong_usage(run: Run) -> None:
    assert run("doctor", "--tenant", " acme").exit_code == 2


def test_a_tenant_that_has_nothing_here_is_wrong_usage(run: Run) -> None:
    result = run("doctor", "--tenant", "nosuch")

    assert result.exit_code == 2
    assert "Error: Tenant 'nosuch' has no integration, client, grant or token here." in result.stderr


def test_a_tenant_with_a_client_is_examined(run: Run) -> None:
    words = "--name X --redirect-uri http://127.0.0.1/ --scope tasks:read --tenant acme --yes"
    run("client", "create", *words.split())

    assert run("doctor", "--tenant", "acme").stdout == "No problems found.\n"


def test_without_a_database_the_tenant_is_not_looked_up(app: Flask, run: Run) -> None:
    with database_away(app):
        result = run("doctor", "--tenant", "acme")

    assert result.exit_code == 1
    assert "Error: database-unreachable" in result.stdout


@pytest.fixture
def silent_server() -> Iterator[RawServer]:
    """A server that never answers."""
    with raw_server(lambda request: None) as server:
        yield server


def in_a_terminal(app_file: Path, url: str, *words: str) -> str:
    """What the doctor prints on a terminal."""
    environ = {
        "PYTHONPATH": str(ROOT),
        "PATH": os.environ["PATH"],
        "FLASK_SECRET_KEY": SECRET_KEY,
        "FLASK_ACTIVEPIECES_BASE_URL": json.dumps(url),
        "FLASK_ACTIVEPIECES_API_KEY": "sk-1",
        "FLASK_ACTIVEPIECES_TIMEOUT": "3",
    }
    command = [sys.executable, "-m", "flask", "--app", str(app_file), "activepieces", "doctor", *words]
    screen, terminal = os.openpty()
    try:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=terminal, env=environ, timeout=60, check=False)
        return os.read(screen, 10_000).decode() if select.select([screen], [], [], 0)[0] else ""
    finally:
        os.close(screen)
        os.close(terminal)


@pytest.mark.long
def test_on_a_terminal_a_server_that_does_not_answer_is_named(silent_server: RawServer, tmp_path: Path) -> None:
    app_file = tmp_path / "app.py"
    app_file.write_text(blocks(page("quickstart"), "python")[0], encoding="utf-8")

    assert f"Examining the stored data and {silent_server.url} …" in in_a_terminal(app_file, silent_server.url)
    assert in_a_terminal(app_file, silent_server.url, "--json") == ""


def test_a_finding_cannot_change_the_terminal(app: Flask, run: Run) -> None:
    app.config["SESSION_COOKIE_PATH"] = "/\x1b[2Jelsewhere"

    result = run("doctor")

    assert "\x1b" not in result.stdout
    assert "/\ufffd[2Jelsewhere" in result.stdout
