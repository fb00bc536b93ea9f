"""The pytest plugin: cheap to load, and reset before each test. docs/testing.md tests the rest of its fixtures."""

from __future__ import annotations

import subprocess
import sys

import pytest
import requests
from flask import Flask, Response

from flask_activepieces.testing import ActivepiecesServer


def test_the_plugin_loads_the_package_and_not_the_server() -> None:
    code = (
        "import sys, flask_activepieces.testing.plugin\n"
        "print({name for name in sys.modules if name.startswith('flask_activepieces.testing.')})"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "{'flask_activepieces.testing.plugin'}"


def test_a_test_may_change_the_server(activepieces_server: ActivepiecesServer) -> None:
    activepieces_server.state.store.add("project", {"displayName": "left behind"})
    activepieces_server.faults.fail("*", "*", 500, times=None)


def test_the_next_test_gets_a_reset_server(activepieces_server: ActivepiecesServer) -> None:
    """The two tests may run in any order."""
    names = [row["displayName"] for row in activepieces_server.state.store.all("project")]

    assert "left behind" not in names
    assert activepieces_server.app.test_client().get("/api/v1/health").status_code == 200


@pytest.fixture
def app() -> Flask:
    """An app with a streamed response and an empty one."""
    app = Flask("host")

    @app.get("/streamed")
    def streamed() -> Response:
        return Response(iter(["a", "b"]))

    @app.get("/nothing")
    def nothing() -> tuple[str, int]:
        return "", 204

    return app


def test_live_app_serves_the_responses_unchanged(live_app: str) -> None:
    with requests.Session() as browser:
        browser.trust_env = False
        paths = ["/streamed", "/nothing", "/streamed", "/not-there"]
        answers = [browser.get(live_app + path, timeout=5) for path in paths]

    assert [answer.status_code for answer in answers] == [200, 204, 200, 404]
    assert [answer.text for answer in answers[:3]] == ["ab", "", "ab"]
