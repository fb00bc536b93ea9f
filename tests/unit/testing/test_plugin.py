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
    """Whichever of the two comes first."""
    names = [row["displayName"] for row in activepieces_server.state.store.all("project")]

    assert "left behind" not in names
    assert activepieces_server.app.test_client().get("/api/v1/health").status_code == 200


@pytest.fixture
def app() -> Flask:
    """An app that answers piece by piece, or with nothing."""
    app = Flask("host")

    @app.get("/told-bit-by-bit")
    def told_bit_by_bit() -> Response:
        return Response(iter(["a", "b"]))

    @app.get("/nothing")
    def nothing() -> tuple[str, int]:
        return "", 204

    return app


def test_the_app_is_served_as_it_answers(live_app: str) -> None:
    with requests.Session() as browser:
        browser.trust_env = False
        paths = ["/told-bit-by-bit", "/nothing", "/told-bit-by-bit", "/not-there"]
        answers = [browser.get(live_app + path, timeout=5) for path in paths]

    assert [answer.status_code for answer in answers] == [200, 204, 200, 404]
    assert [answer.text for answer in answers[:3]] == ["ab", "", "ab"]
