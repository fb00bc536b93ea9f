"""A stand-in Activepieces for each file and services for each test. No call may hold a database connection."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import Engine, create_engine

from flask_activepieces.storage import tables
from flask_activepieces.storage.database import Database
from flask_activepieces.testing import ActivepiecesServer, StandinPiece
from flask_activepieces.testing.standin.versions import Version
from tests.support.acme import acme_pieces
from tests.support.service_harness import APP_PIECE, ServiceHarness

APP_AUTH = {
    "type": "OAUTH2",
    "displayName": "The app",
    "required": True,
    "authUrl": "{base_url}/oauth/authorize",
    "tokenUrl": "{base_url}/oauth/token",
    "scope": ["profile:read", "tasks:read"],
    "pkce": True,
    "props": {"base_url": {"type": "SHORT_TEXT", "displayName": "Address", "required": True}},
}
#: A third party's piece, whose token endpoint is chosen by a prop.
CHAT_PIECE = "@acme/piece-chat"
CHAT_AUTH = {
    "type": "OAUTH2",
    "displayName": "Chat",
    "required": True,
    "authUrl": "https://chat.example/authorize",
    "tokenUrl": "http://127.0.0.1:{port}/token",
    "scope": ["chat:write", "users:read"],
    "pkce": True,
    "authorizationMethod": "HEADER",
    "props": {"port": {"type": "SHORT_TEXT", "displayName": "Port", "required": True}},
}

_numbers = count(1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('harness') / 'harness.sqlite'}")
    Database(engine)  # before the first connection, as in an app
    tables.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def connections_in_use() -> list[int]:
    """The number of database connections in use during each call to Activepieces."""
    return []


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, engine: Engine, connections_in_use: list[int]
) -> Iterator[ActivepiecesServer]:
    others = [StandinPiece(APP_PIECE, auth=APP_AUTH), StandinPiece(CHAT_PIECE, auth=CHAT_AUTH)]
    pieces = [*acme_pieces("https://acme.example"), *others]
    version: Version = getattr(request, "param", "0.85")
    server = ActivepiecesServer(pieces=pieces, validates_values=True, version=version)

    @server.app.before_request
    def note() -> None:
        connections_in_use.append(engine.pool.checkedout())  # type: ignore[attr-defined]  # QueuePool has it

    with server:
        yield server


@pytest.fixture
def upstream(served: ActivepiecesServer, connections_in_use: list[int]) -> Iterator[ActivepiecesServer]:
    """The stand-in, without faults and earlier calls."""
    served.calls.clear()
    connections_in_use.clear()
    yield served
    served.faults.clear()
    assert set(connections_in_use) <= {0}, "a database connection was in use during a call"


@pytest.fixture
def harness(engine: Engine, upstream: ActivepiecesServer) -> ServiceHarness:
    """All services, with a tenant that no other test uses."""
    return ServiceHarness(engine, upstream, tenant=f"tenant-{next(_numbers)}")
