"""Redis is optional: without it, failed attempts are counted in each process."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flask_activepieces.storage.failure_limit import MAX_FAILURES
from tests.support.prepared_requests import redemption, refresh
from tests.support.race_environment import RaceEnvironment, count_outcomes, race_environment

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=["refuses", "never answers"])
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RaceEnvironment]:
    """One process, whose Redis is missing or replaced by another server."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "never answers":
            listener.listen()
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        directory = tmp_path_factory.mktemp("redis")
        with race_environment("sqlite", directory, workers=1, threads=8, ACTIVEPIECES_REDIS_URL=url) as environment:
            yield environment


def test_tokens_are_issued_and_refreshed_without_redis(environment: RaceEnvironment) -> None:
    program = environment.program()
    pair = environment.ask(redemption(program, environment.code(program, environment.person()))).json

    answer = environment.ask(refresh(program, pair["refresh_token"]))

    environment.assert_alive(program, answer.json)


def test_failed_attempts_are_still_rate_limited(environment: RaceEnvironment) -> None:
    program = environment.program()
    token = environment.connect(program, environment.person())["refresh_token"]
    guesses = [refresh(replace(program, client_secret="a guess"), token)]

    started = time.monotonic()
    # Twice as many as one window allows, because the next window may begin meanwhile.
    refused = count_outcomes(environment.send_together(guesses * (2 * MAX_FAILURES + 2)))

    assert set(refused) == {(401, "invalid_client"), (429, "invalid_client")}
    assert refused[401, "invalid_client"] <= 2 * MAX_FAILURES
    assert time.monotonic() - started < 30
    assert environment.ask(refresh(program, token)).status == 200
