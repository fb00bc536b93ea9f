"""Redis holds nothing that anybody needs: without it failed attempts are counted in each process."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flask_activepieces.storage.failure_limit import ATTEMPTS
from tests.support.scenes import Scene, open_scene, told
from tests.support.shots import redemption, refresh

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=["refuses", "never answers"])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """One process, whose Redis is not there, or is not itself."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if request.param == "never answers":
            nobody.listen()
        url = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"
        directory = tmp_path_factory.mktemp("redis")
        with open_scene(
            "sqlite", directory, workers=1, threads=8, ACTIVEPIECES_REDIS_URL=url
        ) as it:
            yield it


def test_flows_go_on(scene: Scene) -> None:
    program = scene.program()
    pair = scene.ask(redemption(program, scene.code(program, scene.person()))).json

    answer = scene.ask(refresh(program, pair["refresh_token"]))

    scene.assert_alive(program, answer.json)


def test_failed_attempts_are_counted_all_the_same(scene: Scene) -> None:
    program = scene.program()
    token = scene.connect(program, scene.person())["refresh_token"]
    guesses = [refresh(replace(program, client_secret="a guess"), token)]

    started = time.monotonic()
    # Twice as many as one window allows, for the next may begin among them.
    refused = told(scene.fire(guesses * (2 * ATTEMPTS + 2)))

    assert set(refused) == {(401, "invalid_client"), (429, "invalid_client")}
    assert refused[401, "invalid_client"] <= 2 * ATTEMPTS
    assert time.monotonic() - started < 30
    assert scene.ask(refresh(program, token)).status == 200
