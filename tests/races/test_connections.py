"""Concurrent requests that save one new connection create it once, on any worker."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.connections import ConnectionDraft
from flask_activepieces.testing import ActivepiecesServer
from tests.races.conftest import RaceSetup
from tests.support.acme import acme_pieces
from tests.support.actors import Person, answer_of
from tests.support.prepared_requests import PreparedRequest, by_browser
from tests.support.race_environment import RaceEnvironment, race_environment
from tests.support.storage import rows_of

API = "/api/integration/activepieces"
PIECE = "@activepieces/piece-acme-secret"

RACE_SETUPS = [
    pytest.param(RaceSetup("sqlite", concurrency=20, rounds=1), id="quick"),
    pytest.param(RaceSetup("sqlite", concurrency=20), marks=pytest.mark.long, id="sqlite"),
    pytest.param(
        RaceSetup("postgres", concurrency=20), marks=[pytest.mark.long, pytest.mark.postgres], id="postgres"
    ),
    pytest.param(RaceSetup("mariadb", concurrency=20), marks=[pytest.mark.long, pytest.mark.mariadb], id="mariadb"),
]


@pytest.fixture(scope="module")
def upstream() -> Iterator[ActivepiecesServer]:
    """An Activepieces in which overlapping upserts create duplicates, as in the real one."""
    with ActivepiecesServer(pieces=acme_pieces("https://acme.example")) as server:
        yield server


@pytest.fixture(scope="module", params=RACE_SETUPS)
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: ActivepiecesServer
) -> Iterator[RaceEnvironment]:
    """The app in four processes, with an integration to that Activepieces."""
    race_setup: RaceSetup = request.param
    with race_environment(
        race_setup.kind,
        tmp_path_factory.mktemp("race"),
        threads=8,
        concurrency=race_setup.concurrency,
        rounds=race_setup.rounds,
        ACTIVEPIECES_BASE_URL=upstream.url,
    ) as environment:
        setup = {"apiKey": upstream.api_key, "projectId": upstream.project_id}
        answer_of(environment.person("alice").browser.post(f"{API}/setup", json=setup), 201)
        yield environment


def save_request(admin: Person, name: str, value: str) -> PreparedRequest:
    body = {"accessToken": value, "connectionName": name, "pieceName": PIECE}
    return replace(by_browser(admin, "POST", f"{API}/connection"), json=body)


def connection_ids(upstream: ActivepiecesServer, name: str) -> list[str]:
    """The ids of the connections with this name in Activepieces."""
    client = ActivepiecesClient(upstream.url, upstream.api_key)
    return [
        connection.id
        for connection in client.connections.list(upstream.project_id)
        if connection.display_name == name
    ]


def test_simultaneous_saves_of_a_new_connection_create_one(
    environment: RaceEnvironment, upstream: ActivepiecesServer
) -> None:
    alice = environment.person("alice")

    for number in range(environment.rounds):
        name = f"race-{number}-{id(environment)}"
        prepared = [save_request(alice, name, f"ok-{index}") for index in range(environment.concurrency)]

        answers = environment.send_together(prepared)

        assert {answer.status for answer in answers} == {201}
        assert {answer.json["id"] for answer in answers} == set(connection_ids(upstream, name))
        assert len(connection_ids(upstream, name)) == 1
    assert rows_of(environment.app, "leases") == []
    assert "Traceback" not in environment.server.log()


def test_without_our_lease_activepieces_creates_duplicates(upstream: ActivepiecesServer) -> None:
    """Proves that the test above can fail: the same requests without the app create duplicates."""
    client = ActivepiecesClient(upstream.url, upstream.api_key)

    def created(name: str) -> int:
        draft = ConnectionDraft(
            project_id=upstream.project_id,
            external_id=name,
            display_name=name,
            piece_name=PIECE,
            value=SecretText(secret_text="ok-1"),
        )
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: client.connections.upsert(draft), range(8)))
        return len(connection_ids(upstream, name))

    # On a busy machine the requests of one round may not overlap.
    assert any(created(f"unguarded-{number}") > 1 for number in range(10))
