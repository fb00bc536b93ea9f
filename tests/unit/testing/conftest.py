"""A stand-in without a network and with a stopped clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flask_activepieces.testing import Action, ActivepiecesServer, StandinPiece
from tests.support.clock import StoppedClock
from tests.support.standin import Standin
from tests.support.standin import standin as calls

ECHO = StandinPiece(
    "@acme/piece-echo",
    auth={"type": "SECRET_TEXT", "displayName": "Key", "required": True},
    actions={"echo": Action("Echo", lambda call: {"auth": call.auth, **call.props})},
)


@pytest.fixture
def clock() -> StoppedClock:
    """A clock that only the test advances."""
    return StoppedClock()


@pytest.fixture
def server(clock: StoppedClock) -> Iterator[ActivepiecesServer]:
    """An Enterprise server 0.85.2 with a piece that returns its inputs."""
    server = ActivepiecesServer(pieces=[ECHO], clock=clock, sleep=clock.advance)
    yield server
    server.close()


@pytest.fixture
def standin(server: ActivepiecesServer) -> Standin:
    """Calls the server with its API key."""
    return calls(server)
