"""MCP servers of the stand-in, in all versions."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.versions import Version
from tests.support.standin import Standin
from tests.support.standin import standin as calls


def path(standin: Standin) -> str:
    return f"/projects/{standin.server.project_id}/mcp-server"


def test_a_project_has_exactly_one_server(standin: Standin) -> None:
    admin = standin.by_admin()

    first, second = admin.get(path(standin)), admin.get(path(standin))

    assert first == second
    assert len(first["token"]) == 72


def test_rotating_changes_the_token_and_nothing_else(standin: Standin) -> None:
    admin = standin.by_admin()
    admin.post(path(standin), {"disabledTools": ["ap_delete_flow"]})
    before = admin.get(path(standin))

    after = admin.post(f"{path(standin)}/rotate")

    assert after["token"] != before["token"]
    assert after | {"token": "", "updated": ""} == before | {"token": "", "updated": ""}


def test_a_viewer_can_read_even_the_token_but_change_nothing(standin: Standin) -> None:
    viewer = standin.by_member("Viewer")

    assert viewer.get(path(standin))["token"]
    assert viewer.ask("POST", path(standin), {"disabledTools": []}).status_code == 403
    assert viewer.ask("POST", f"{path(standin)}/rotate").status_code == 403
    assert viewer.ask("GET", "/mcp-server").status_code == 403


@pytest.mark.parametrize(("method", "where"), [("GET", ""), ("POST", ""), ("POST", "/rotate")])
def test_an_api_key_is_rejected(standin: Standin, method: str, where: str) -> None:
    for root in (path(standin), "/mcp-server"):
        assert standin.ask(method, root + where, {}).status_code == 403


def test_the_platform_has_its_own_server(standin: Standin) -> None:
    admin = standin.by_admin()

    changed = admin.post("/mcp-server", {"disabledTools": ["x"]})
    rotated = admin.post("/mcp-server/rotate")

    assert changed["disabledTools"] == rotated["disabledTools"] == ["x"]
    assert changed["token"] != rotated["token"]
    assert "flows" not in rotated


@pytest.mark.parametrize(
    ("version", "change", "other"),
    [
        ("0.78", {"status": "ENABLED"}, {"disabledTools": ["x"]}),
        ("0.78", {"status": "ENABLED"}, {"enabledTools": ["x"]}),
        ("0.83", {"enabledTools": ["x"]}, {"disabledTools": ["x"]}),
        ("0.83", {"enabledTools": ["x"]}, {"status": "ENABLED"}),
        ("0.85", {"disabledTools": ["x"]}, {"status": "ENABLED"}),
        ("0.86", {"disabledTools": ["x"]}, {"enabledTools": ["x"]}),
        ("0.92", {"disabledTools": ["x"]}, {"status": "ENABLED"}),
    ],
)
def test_each_version_drops_settings_of_the_other(
    version: Version, change: dict[str, object], other: dict[str, object]
) -> None:
    server = ActivepiecesServer(version=version)
    admin = calls(server).by_admin()

    assert admin.post(path(admin), change).items() >= change.items()
    assert admin.post(path(admin), other).items() >= change.items()
    assert not admin.get(path(admin)).keys() & other.keys()
    server.close()


def test_the_platform_of_0_83_has_a_server_and_that_of_0_78_has_none() -> None:
    for version, status in (("0.78", 404), ("0.83", 200)):
        server = ActivepiecesServer(version=version)  # type: ignore[arg-type]  # a literal
        answer = calls(server).by_admin().ask("GET", "/mcp-server")
        server.close()

        assert answer.status_code == status
    assert answer.get_json()["enabledTools"] is None, "all are on"


def test_no_token_is_accepted_by_the_mcp_endpoint(standin: Standin) -> None:
    """Observed on 0.85.2: neither the token from the management route, nor an API key, nor a session."""
    shown = standin.by_admin().get(path(standin))["token"]
    client = Client(standin.server.app)

    for token in (shown, standin.token, standin.server.user_token()):
        answer = client.post("/mcp", json={}, headers={"Authorization": f"Bearer {token}"})

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert client.get("/mcp").status_code == 405


def test_at_0_78_the_token_works_on_a_disabled_server() -> None:
    server = ActivepiecesServer(version="0.78")
    standin = calls(server)
    shown = standin.by_admin().get(path(standin))
    initialize = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}

    opened, refused = (
        standin.by(token).ask("POST", f"{path(standin)}/http", initialize)
        for token in (shown["token"], standin.token)
    )

    server.close()
    assert shown["status"] == "DISABLED"
    assert (opened.status_code, opened.mimetype) == (200, "text/event-stream")
    assert '"serverInfo":{"name":"Activepieces"' in opened.text
    assert refused.status_code == 401
