"""Activepieces refuses, resets, delays, fails or sends garbage: the API answers in time with a specific problem."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.faults import Faults
from tests.conftest import MakeApp
from tests.support.acme import acme_pieces
from tests.support.actors import answer_of
from tests.support.api_user import API, PIECE, ApiUser
from tests.support.live import serving
from tests.support.prepared_requests import by_browser, send_together
from tests.support.problems import problem
from tests.support.raw_server import Received, raw_server
from tests.support.storage import rows_of

CONNECTIONS = "/app-connections"
#: The maximum seconds for any of our answers, with a timeout of one second for Activepieces.
MAX_SECONDS = 5
NEW = {"accessToken": "ok-mine", "connectionName": "Mine", "pieceName": PIECE}


@pytest.fixture
def server() -> Iterator[ActivepiecesServer]:
    """A new server for each test, because delayed requests may still run after the test."""
    with ActivepiecesServer(pieces=acme_pieces("https://acme.example")) as server:
        yield server


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """An app with a timeout of one second for Activepieces."""
    return make_app(ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key, ACTIVEPIECES_TIMEOUT=1)


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    return ApiUser.named(app, "alice")


@pytest.fixture
def integration(alice: ApiUser) -> str:
    return alice.links()


Fault = Callable[[Faults, str], None]
ALWAYS: dict[str, Any] = {"times": None}


def failing(status: int) -> Fault:
    return lambda faults, method: faults.fail(method, CONNECTIONS, status, **ALWAYS)


#: By fault: how to inject it, and the expected status and code.
FAULTS: dict[str, tuple[Fault, int, str]] = {
    "reset": (
        lambda faults, method: faults.reset_connection(method, CONNECTIONS, **ALWAYS),
        502,
        "activepieces_cannot_be_reached",
    ),
    "no response": (
        lambda faults, method: faults.drop_response(method, CONNECTIONS, **ALWAYS),
        502,
        "activepieces_cannot_be_reached",
    ),
    "truncated response": (
        lambda faults, method: faults.truncate_body(method, CONNECTIONS, **ALWAYS),
        502,
        "activepieces_cannot_be_reached",
    ),
    "slow": (
        lambda faults, method: faults.delay(method, CONNECTIONS, 60, **ALWAYS),
        504,
        "activepieces_took_too_long",
    ),
    "invalid JSON": (
        lambda faults, method: faults.invalid_json(method, CONNECTIONS, **ALWAYS),
        502,
        "not_activepieces",
    ),
    "other JSON": (
        lambda faults, method: faults.invalid_json(method, CONNECTIONS, body=b"[1]", **ALWAYS),
        502,
        "not_activepieces",
    ),
    "500": (failing(500), 502, "activepieces_failed"),
    "503": (failing(503), 502, "activepieces_failed"),
    "429": (failing(429), 503, "too_many_calls"),
    "401": (failing(401), 502, "credential_refused"),
    "402": (failing(402), 409, "not_in_the_plan"),
    "403": (failing(403), 409, "not_allowed_by_activepieces"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fault_is_reported_in_time_with_its_code(
    alice: ApiUser, integration: str, server: ActivepiecesServer, method: str, fault: str
) -> None:
    inject, status, code = FAULTS[fault]
    inject(server.faults, method)
    started = time.monotonic()

    path, body = ("/connection", NEW) if method == "POST" else (f"/connections/{integration}", None)
    answer = alice.calls(method, path, body)

    assert time.monotonic() - started < MAX_SECONDS
    error = answer_of(answer, status)
    assert (error["code"], answer.mimetype) == (code, "application/problem+json")
    assert "Traceback" not in answer.text


def test_an_unreachable_activepieces_is_reported_as_502(make_app: MakeApp, server: ActivepiecesServer) -> None:
    alice = ApiUser.named(make_app(ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key), "alice")
    integration = alice.links()
    server.stop()

    answer = alice.gets(f"/connections/{integration}")

    assert answer_of(answer, 502)["code"] == "activepieces_cannot_be_reached"


def test_a_rate_limit_of_activepieces_is_passed_on_with_retry_after(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    server.faults.fail("POST", CONNECTIONS, 429, headers={"Retry-After": "56"})

    answer = alice.posts("/connection", NEW)

    assert problem(answer, 503, "Too many calls")["retry_after"] == 56
    assert answer.headers["Retry-After"] == "56"


def test_a_setup_that_cannot_be_verified_is_not_stored(
    app: Flask, alice: ApiUser, server: ActivepiecesServer
) -> None:
    server.faults.delay("GET", "/projects", 60, times=None)

    answer = alice.posts("/setup", {"apiKey": server.api_key, "projectId": server.project_id})

    assert answer_of(answer, 504)["code"] == "activepieces_took_too_long"
    assert rows_of(app, "integrations") == []


def test_saving_works_again_after_a_fault(alice: ApiUser, integration: str, server: ActivepiecesServer) -> None:
    server.faults.fail("POST", CONNECTIONS, 500)
    refused = alice.posts("/connection", NEW)

    created = alice.saves()

    assert refused.status_code == 502
    assert [connection["id"] for connection in answer_of(alice.gets(f"/connections/{integration}"))["data"]] == [
        created["id"]
    ]


# Many requests that wait for a slow Activepieces

PROJECT = {
    "id": "a-project",
    "displayName": "Acme",
    "platformId": "a-platform",
    "ownerId": "an-owner",
    "type": "TEAM",
    "externalId": "acme",
    "created": "2027-01-15T08:00:00.000Z",
    "updated": "2027-01-15T08:00:00.000Z",
}


def test_fifty_waiting_requests_hold_no_database_connection(make_app: MakeApp) -> None:
    release = Event()

    def answer_late(received: Received) -> None:
        if CONNECTIONS in received.target:
            release.wait(25)
            received.answer(body={"data": [], "next": None, "previous": None})
        else:
            received.answer(body={"data": [PROJECT], "next": None, "previous": None})

    with raw_server(answer_late) as upstream:
        app = make_app(
            ACTIVEPIECES_BASE_URL=upstream.url,
            ACTIVEPIECES_API_KEY="sk-of-the-app",
            # A request for a third connection fails after two seconds.
            SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 2, "max_overflow": 0, "pool_timeout": 2},
        )
        alice = ApiUser.named(app, "alice")
        integration = alice.links()
        slow_request = by_browser(alice.person, "GET", f"{API}/connections/{integration}")
        fast_request = by_browser(alice.person, "GET", f"{API}/setup/{integration}")
        with serving(app) as site, ThreadPoolExecutor(1) as executor:
            port = int(site.rpartition(":")[2])
            future = executor.submit(send_together, port, [slow_request] * 50)
            while sum(CONNECTIONS in received.target for received in upstream.received) < 50:
                assert not future.done(), [response.status for response in future.result()]
                time.sleep(0.01)
            (answer,) = send_together(port, [fast_request])
            still_waiting = not future.done()
            release.set()
            statuses = [response.status for response in future.result()]

    assert (answer.status, still_waiting) == (200, True)
    assert statuses == [200] * 50
