"""The server: HTTP connections, persistence, and hidden secrets."""

from __future__ import annotations

import http.client
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from flask_activepieces.testing import ActivepiecesServer
from tests.support.acme import acme_pieces
from tests.support.standin import Standin, standin

SECRET = "ok-canary-of-this-test"


def connected(server: ActivepiecesServer) -> Standin:
    """The API of the server, and a connection."""
    api = standin(server)
    value = {"type": "SECRET_TEXT", "secret_text": SECRET}
    api.connect("crm", "@activepieces/piece-acme-secret", value)
    return api


def test_a_connection_stays_open() -> None:
    with (
        ActivepiecesServer() as server,
        closing(http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)) as one,
    ):
        for _ in range(3):
            one.request("POST", "/api/v1/nope", body=b"{}" * 10)
            answer = one.getresponse()
            assert answer.status == 404
            answer.read()


def test_fifty_callers_are_served_at_once() -> None:
    with ActivepiecesServer() as server, ThreadPoolExecutor(50) as callers:
        url = f"{server.url}/api/v1/health"

        statuses = list(callers.map(lambda _: requests.get(url, timeout=10).status_code, range(50)))

    assert statuses == [200] * 50


def test_a_closed_server_refuses_connections() -> None:
    with ActivepiecesServer() as server:
        url = server.url

    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)


def test_a_reset_restores_the_initial_state() -> None:
    with closing(ActivepiecesServer(pieces=acme_pieces(""))) as server:
        key, token = server.api_key, server.user_token()
        api = connected(server)
        server.faults.fail("GET", "*", 500, times=None)
        server.state.plan.clear()

        server.reset()

        assert api.get(f"/app-connections?projectId={server.project_id}")["data"] == []
        assert (server.api_key, len(server.calls)) == (key, 1)
        assert api.by(token).ask("GET", "/api-keys").status_code == 200


def test_a_file_keeps_the_data(tmp_path: Path) -> None:
    database = tmp_path / "activepieces.db"
    with closing(ActivepiecesServer(database=database, pieces=acme_pieces(""))) as server:
        connected(server)
        project_id = server.project_id

    with closing(ActivepiecesServer(database=database, pieces=acme_pieces(""))) as again:
        assert again.project_id == project_id
        assert again.read_connection_as_piece("crm")["value"]["secret_text"] == SECRET


def test_no_value_is_readable_in_the_file(tmp_path: Path) -> None:
    database = tmp_path / "activepieces.db"
    with closing(ActivepiecesServer(database=database, pieces=acme_pieces(""))) as server:
        connected(server)
        key, password = server.api_key, server.password

    with closing(sqlite3.connect(database)) as connection:
        bodies = [body for (body,) in connection.execute("SELECT body FROM documents")]
    assert bodies
    assert not any(word in body for body in bodies for word in (SECRET, key, password))
    assert (tmp_path / "activepieces.db.key").stat().st_mode & 0o777 == 0o600


def test_no_value_is_in_a_response_or_a_repr() -> None:
    with closing(ActivepiecesServer(pieces=acme_pieces(""))) as server:
        api = connected(server)
        listed = api.ask("GET", f"/app-connections?projectId={server.project_id}").text
        platform_wide = api.ask("GET", "/platform-app-connections").text

        for text in (listed, platform_wide, repr(server.calls), repr(server.state)):
            assert SECRET not in text
            assert server.api_key not in text


def test_other_paths_are_pages_and_not_errors() -> None:
    """A base URL without /api is answered 200, with HTML."""
    with closing(ActivepiecesServer()) as server:
        answer = server.app.test_client().get("/v1/app-connections")

    assert (answer.status_code, answer.mimetype) == (200, "text/html")


def test_the_old_server_has_its_api_at_another_path() -> None:
    with closing(ActivepiecesServer(version="0.78")) as server:
        client = server.app.test_client()

        assert client.get("/api/v1/health").status_code == 404
        assert client.get("/v1/health").status_code == 200


def test_a_community_server_has_no_keys() -> None:
    with closing(ActivepiecesServer(edition="ce")) as server:
        assert server.api_key == ""
        assert standin(server).by_admin().ask("GET", "/api-keys").status_code == 404


def test_a_deleted_key_is_rejected() -> None:
    with closing(ActivepiecesServer()) as server:
        admin = standin(server).by_admin()
        made = admin.post("/api-keys", {"displayName": "for a test"})
        by_key = admin.by(made["value"])
        assert by_key.ask("GET", "/projects").status_code == 200

        assert admin.ask("DELETE", f"/api-keys/{made['id']}").status_code == 204

        assert by_key.ask("GET", "/projects").status_code == 401
        assert admin.ask("DELETE", f"/api-keys/{made['id']}").status_code == 404


def test_deleting_a_project_deletes_its_connections() -> None:
    with closing(ActivepiecesServer(pieces=acme_pieces(""))) as server:
        api = connected(server)

        assert api.ask("DELETE", f"/projects/{server.project_id}").status_code == 204

        assert api.get("/platform-app-connections")["data"] == []
        assert api.ask("GET", f"/projects/{server.project_id}").status_code == 404


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"<a/>", "application/xml", 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"),
        (b"{", "application/json", 400, "FST_ERR_CTP_INVALID_JSON_BODY"),
        (b" ", "application/json", 400, "FST_ERR_CTP_EMPTY_JSON_BODY"),
        (b"displayName=a.b", "application/x-www-form-urlencoded", 400, "FST_ERR_VALIDATION"),
        (b"displayName=Acme&metadata[a][b][]=1&metadata[a][b][]=2", "application/x-www-form-urlencoded", 201, None),
    ],
)
def test_bodies_are_parsed_as_by_fastify(body: bytes, kind: str, status: int, code: str | None) -> None:
    with closing(ActivepiecesServer()) as server:
        answer = server.app.test_client().post(
            "/api/v1/projects", data=body, headers={"Authorization": f"Bearer {server.api_key}", "Content-Type": kind}
        )

    assert (answer.status_code, answer.json and answer.json.get("code")) == (status, code)
    if status == 201:
        assert answer.json and answer.json["metadata"] == {"a": {"b": ["1", "2"]}}


def test_a_broken_connection_stays_broken_until_it_is_reconnected() -> None:
    with closing(ActivepiecesServer(pieces=acme_pieces(""))) as server:
        api = connected(server)

        server.break_connection("crm")

        assert server.read_connection_as_piece("crm")["status"] == "ERROR"
        value = {"type": "SECRET_TEXT", "secret_text": SECRET}
        api.connect("crm", "@activepieces/piece-acme-secret", value)
        assert server.read_connection_as_piece("crm", project_id=server.project_id)["status"] == "ACTIVE"


def test_an_unknown_connection_cannot_break() -> None:
    with (
        closing(ActivepiecesServer()) as server,
        pytest.raises(AssertionError, match="the project has no connection crm"),
    ):
        server.break_connection("crm")
