"""When a token is refreshed, and which value the engine gets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from flask_activepieces.testing import ActivepiecesServer
from tests.support.acme import acme_pieces
from tests.support.clock import StoppedClock
from tests.support.standin import standin
from tests.support.token_endpoint import Reply, TokenEndpoint, token_endpoint

WINDOW = 15 * 60


@dataclass(frozen=True)
class EngineScenario:
    """A stand-in, its token endpoint, and a clock."""

    server: ActivepiecesServer
    endpoint: TokenEndpoint
    clock: StoppedClock

    def connect(self, *replies: Reply, **value: Any) -> None:
        """Create a connection by a code; the endpoint sends this reply."""
        self.endpoint.reply_with(*replies)
        bought = {
            "type": "OAUTH2",
            "client_id": "cid",
            "client_secret": "csec",
            "code": "c",
            "redirect_url": "http://x",
            "scope": "read",
            **value,
        }
        standin(self.server).connect("acme", "@activepieces/piece-acme-oauth", bought)
        self.endpoint.received.clear()

    def reads(self) -> dict[str, Any]:
        """Read the connection as a piece."""
        return self.server.read_connection_as_piece("acme")

    @property
    def asked(self) -> int:
        """The number of token requests since the connection was created."""
        return len(self.endpoint.received)


@pytest.fixture
def scene(clock: StoppedClock) -> Iterator[EngineScenario]:
    with token_endpoint() as endpoint:
        server = ActivepiecesServer(pieces=acme_pieces(endpoint.url), clock=clock, sleep=clock.advance)
        yield EngineScenario(server, endpoint, clock)
        server.close()


def tokens(**changes: Any) -> Reply:
    body = {"access_token": "first", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "again"}
    return Reply({name: part for name, part in (body | changes).items() if part is not None})


@pytest.mark.parametrize(
    ("expires_in", "age", "renewed"),
    [
        pytest.param(3600, 3600 - WINDOW - 1, False, id="a second more than 15 minutes left"),
        pytest.param(3600, 3600 - WINDOW, True, id="15 minutes left"),
        pytest.param(3600, 90_000, True, id="long expired"),
        pytest.param(None, 3600 - WINDOW - 1, False, id="no lifetime: an hour is assumed"),
        pytest.param(None, 3600 - WINDOW, True, id="no lifetime, 15 minutes of an hour left"),
        pytest.param(899, 0, True, id="a lifetime of less than 15 minutes: at every read"),
        pytest.param("3600", 90_000, False, id="a lifetime as a string: never"),
    ],
)
def test_a_token_is_refreshed_in_time(scene: EngineScenario, expires_in: Any, age: int, renewed: bool) -> None:
    scene.connect(tokens(expires_in=expires_in))
    scene.clock.advance(age)

    scene.reads()

    assert scene.asked == (1 if renewed else 0)


def test_a_token_without_a_refresh_token_is_kept(scene: EngineScenario) -> None:
    scene.connect(tokens(refresh_token=None))
    scene.clock.advance(days=1)

    assert scene.reads()["value"]["access_token"] == "first"
    assert scene.asked == 0


def test_concurrent_reads_share_one_refresh(scene: EngineScenario) -> None:
    scene.connect(tokens())
    scene.clock.advance(3600)

    with ThreadPoolExecutor(8) as engines:
        received = list(engines.map(lambda _: scene.reads()["value"]["access_token"], range(8)))

    assert scene.asked == 1
    assert len(set(received)) == 1


def test_a_revoked_grant_is_not_retried(scene: EngineScenario) -> None:
    scene.connect(tokens())
    scene.clock.advance(3600)
    scene.endpoint.reply_with(Reply({"error": "invalid_grant"}, status=400))

    statuses = [scene.reads()["status"] for _ in range(3)]

    assert statuses == ["ERROR"] * 3
    assert scene.asked == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply({"error": "invalid_client"}, status=401), id="invalid_client"),
        pytest.param(Reply({"error": "invalid_grant"}, status=403), id="invalid_grant as 403"),
        pytest.param(Reply(text="oops", status=400), id="no JSON"),
        pytest.param(Reply({}, status=429), id="too many requests"),
    ],
)
def test_other_errors_are_retried_at_the_next_read(scene: EngineScenario, answer: Reply) -> None:
    scene.connect(tokens())
    scene.clock.advance(3600)
    scene.endpoint.reply_with(answer)

    first, second = scene.reads(), scene.reads()

    assert (first["status"], first["value"]["access_token"]) == ("ACTIVE", "first")
    assert second["value"]["access_token"] != "first"


def test_an_unreachable_endpoint_keeps_the_old_token(scene: EngineScenario) -> None:
    scene.connect(tokens())
    scene.clock.advance(3600)
    scene.endpoint.reply_with(*[Reply(status=503)] * 4)

    assert scene.reads()["value"]["access_token"] == "first"
    assert scene.asked == 4


def test_a_piece_sees_the_client_secret_of_a_code_grant(scene: EngineScenario) -> None:
    """Flow authors can read it, so integrations must not share a client."""
    scene.connect(tokens())

    value = scene.reads()["value"]

    assert value["client_secret"] == "csec"
    assert value["refresh_token"] == "(REDACTED)"
    assert value["data"]["refresh_token"] == "again"
