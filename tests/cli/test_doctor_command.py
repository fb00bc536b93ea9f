"""``flask activepieces doctor``."""

from __future__ import annotations

import json
import time

import pytest
from flask import Flask

from tests.cli.conftest import Run
from tests.conftest import MakeApp


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


def test_a_finding_cannot_change_the_terminal(app: Flask, run: Run) -> None:
    app.config["SESSION_COOKIE_PATH"] = "/\x1b[2Jelsewhere"

    result = run("doctor")

    assert "\x1b" not in result.stdout
    assert "/\ufffd[2Jelsewhere" in result.stdout
