"""Faults affect exactly the selected calls, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest
import requests

from flask_activepieces.testing import ActivepiecesServer

PROJECTS = "/projects"


@pytest.fixture
def server() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer() as server:
        yield server


@pytest.fixture
def session(server: ActivepiecesServer) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {server.api_key}"
        yield session


def add_project(server: ActivepiecesServer, session: requests.Session) -> requests.Response:
    return session.post(f"{server.url}/api/v1/projects", json={"displayName": "Acme"}, timeout=5)


def projects(server: ActivepiecesServer) -> list[str]:
    return [row["displayName"] for row in server.state.store.all("project", type="TEAM")]


def test_a_failing_call_does_nothing(server: ActivepiecesServer, session: requests.Session) -> None:
    server.faults.fail("POST", PROJECTS, 503, headers={"Retry-After": "7"})

    answer = add_project(server, session)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert answer.json() == {"statusCode": 503, "error": "Service Unavailable", "message": "Service Unavailable"}
    assert "Acme" not in projects(server)


def test_a_request_with_a_dropped_response_was_processed(
    server: ActivepiecesServer, session: requests.Session
) -> None:
    server.faults.drop_response("POST", PROJECTS)

    with pytest.raises(requests.ConnectionError, match="without response"):
        add_project(server, session)

    assert projects(server).count("Acme") == 1


def test_a_request_on_a_reset_connection_was_not_processed(
    server: ActivepiecesServer, session: requests.Session
) -> None:
    server.faults.reset_connection("POST", PROJECTS)

    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        add_project(server, session)

    assert "Acme" not in projects(server)


def test_a_truncated_body_ends_halfway(server: ActivepiecesServer, session: requests.Session) -> None:
    server.faults.truncate_body("POST", PROJECTS)

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        add_project(server, session)

    assert projects(server).count("Acme") == 1


def test_invalid_json_has_the_content_type_of_json(server: ActivepiecesServer, session: requests.Session) -> None:
    server.faults.invalid_json("POST", PROJECTS)

    answer = add_project(server, session)

    assert answer.headers["Content-Type"].startswith("application/json")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_delayed_response_comes_late(server: ActivepiecesServer, session: requests.Session) -> None:
    server.faults.delay("POST", PROJECTS, 0.05)
    begun = time.monotonic()

    answer = add_project(server, session)

    assert answer.status_code == 201
    assert time.monotonic() - begun >= 0.05


def test_stopping_the_server_ends_delays() -> None:
    server = ActivepiecesServer().start()
    server.faults.delay("GET", "*", 60)
    url = f"{server.url}/api/v1/health"

    def wait() -> None:
        with suppress(requests.ConnectionError):  # otherwise it might get its response before
            requests.get(url, timeout=30)

    waiting = Thread(target=wait)
    waiting.start()
    while not server.faults.triggered:
        time.sleep(0.001)
    server.close()
    waiting.join(timeout=5)

    assert not waiting.is_alive()


def test_delays_work_after_a_restart(session: requests.Session) -> None:
    server = ActivepiecesServer()
    server.faults.delay("POST", PROJECTS, 0.05)
    server.start().stop()
    session.headers["Authorization"] = f"Bearer {server.api_key}"

    with server:
        begun = time.monotonic()
        add_project(server, session)

    assert time.monotonic() - begun >= 0.05


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("path", ["/projects/x", "/app-connections"])
def test_other_calls_are_not_affected(
    server: ActivepiecesServer, session: requests.Session, method: str, path: str
) -> None:
    server.faults.fail("POST", PROJECTS, 500, times=None)

    assert session.request(method, f"{server.url}/api/v1{path}", timeout=5).status_code in (400, 404)


def test_a_fault_affects_the_given_number_of_calls(server: ActivepiecesServer, session: requests.Session) -> None:
    server.faults.fail("*", "/proj*", 500, times=2)

    assert [add_project(server, session).status_code for _ in range(3)] == [500, 500, 201]


def test_cleared_faults_are_gone(server: ActivepiecesServer, session: requests.Session) -> None:
    server.faults.fail("POST", PROJECTS, 500, times=None)
    server.faults.clear()

    assert add_project(server, session).status_code == 201


def test_a_connection_is_reusable_after_a_fault(server: ActivepiecesServer, session: requests.Session) -> None:
    """The body of the rejected request was read, so the next request on the connection is parsed correctly."""
    server.faults.fail("POST", PROJECTS, 429)

    statuses = [add_project(server, session).status_code for _ in range(2)]

    assert statuses == [429, 201]
