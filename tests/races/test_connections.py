"""However many requests save one new connection at once, on whichever worker, Activepieces has it once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.connections import ConnectionDraft
from flask_activepieces.testing import ActivepiecesServer
from tests.races.conftest import Stage
from tests.support.acme import acme_pieces
from tests.support.actors import Person, answer_of
from tests.support.scenes import Scene, open_scene
from tests.support.shots import Shot, by_browser
from tests.support.storage import rows_of

API = "/api/integration/activepieces"
PIECE = "@activepieces/piece-acme-secret"

STAGES = [
    pytest.param(Stage("sqlite", volley=20, rounds=1), id="quick"),
    pytest.param(Stage("sqlite", volley=20), marks=pytest.mark.long, id="sqlite"),
    pytest.param(
        Stage("postgres", volley=20), marks=[pytest.mark.long, pytest.mark.postgres], id="postgres"
    ),
    pytest.param(
        Stage("mariadb", volley=20), marks=[pytest.mark.long, pytest.mark.mariadb], id="mariadb"
    ),
]


@pytest.fixture(scope="module")
def upstream() -> Iterator[ActivepiecesServer]:
    """An Activepieces that makes duplicates, as the real one does, whenever two upserts overlap."""
    with ActivepiecesServer(pieces=acme_pieces("https://acme.example")) as server:
        yield server


@pytest.fixture(scope="module", params=STAGES)
def scene(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    upstream: ActivepiecesServer,
) -> Iterator[Scene]:
    """The app in four processes, linked with that Activepieces."""
    stage: Stage = request.param
    with open_scene(
        stage.kind,
        tmp_path_factory.mktemp("race"),
        threads=8,
        volley=stage.volley,
        rounds=stage.rounds,
        ACTIVEPIECES_BASE_URL=upstream.url,
    ) as scene:
        given = {"apiKey": upstream.api_key, "projectId": upstream.project_id}
        answer_of(scene.person("alice").browser.post(f"{API}/setup", json=given), 201)
        yield scene


def saving(admin: Person, name: str, value: str) -> Shot:
    body = {"accessToken": value, "connectionName": name, "pieceName": PIECE}
    return replace(by_browser(admin, "POST", f"{API}/connection"), json=body)


def there(upstream: ActivepiecesServer, name: str) -> list[str]:
    """The connections of this name that Activepieces has."""
    client = ActivepiecesClient(upstream.url, upstream.api_key)
    return [
        connection.id
        for connection in client.connections.list(upstream.project_id)
        if connection.display_name == name
    ]


def test_simultaneous_upserts_of_a_new_connection_make_one(
    scene: Scene, upstream: ActivepiecesServer
) -> None:
    alice = scene.person("alice")

    for number in range(scene.rounds):
        name = f"race-{number}-{id(scene)}"
        shots = [saving(alice, name, f"ok-{shot}") for shot in range(scene.volley)]

        answers = scene.fire(shots)

        assert {answer.status for answer in answers} == {201}
        assert {answer.json["id"] for answer in answers} == set(there(upstream, name))
        assert len(there(upstream, name)) == 1
    assert rows_of(scene.app, "leases") == []
    assert "Traceback" not in scene.server.log()


def test_without_our_lease_activepieces_would_make_several(upstream: ActivepiecesServer) -> None:
    """What the test above is worth: the same volley past the app makes duplicates."""
    client = ActivepiecesClient(upstream.url, upstream.api_key)
    draft = ConnectionDraft(
        project_id=upstream.project_id,
        external_id="unguarded",
        display_name="unguarded",
        piece_name=PIECE,
        value=SecretText(secret_text="ok-1"),
    )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.connections.upsert(draft), range(8)))

    assert len(there(upstream, "unguarded")) > 1
