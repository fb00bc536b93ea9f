"""An Activepieces for all tests of a file, and an office for each; no call finds a database connection held."""

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
from tests.support.office import OWN_PIECE, Office

OWN_AUTH = {
    "type": "OAUTH2",
    "displayName": "The app",
    "required": True,
    "authUrl": "{base_url}/oauth/authorize",
    "tokenUrl": "{base_url}/oauth/token",
    "scope": ["profile:read", "tasks:read"],
    "pkce": True,
    "props": {"base_url": {"type": "SHORT_TEXT", "displayName": "Address", "required": True}},
}
#: A third party's piece; where its tokens are sold stands in what the piece asks for.
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
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('office') / 'office.sqlite'}")
    Database(engine)  # before the first connection, as in an app
    tables.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def held() -> list[int]:
    """How many database connections were in use at each call of Activepieces."""
    return []


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, engine: Engine, held: list[int]
) -> Iterator[ActivepiecesServer]:
    others = [StandinPiece(OWN_PIECE, auth=OWN_AUTH), StandinPiece(CHAT_PIECE, auth=CHAT_AUTH)]
    pieces = [*acme_pieces("https://acme.example"), *others]
    version: Version = getattr(request, "param", "0.85")
    server = ActivepiecesServer(pieces=pieces, validates_values=True, version=version)

    @server.app.before_request
    def note() -> None:
        held.append(engine.pool.checkedout())  # type: ignore[attr-defined]  # QueuePool has it

    with server:
        yield server


@pytest.fixture
def upstream(served: ActivepiecesServer, held: list[int]) -> Iterator[ActivepiecesServer]:
    """The Activepieces of a test, which does nothing wrong unless told to."""
    served.calls.clear()
    held.clear()
    yield served
    served.faults.clear()
    assert set(held) <= {0}, "a database connection was held during a call"


@pytest.fixture
def office(engine: Engine, upstream: ActivepiecesServer) -> Office:
    """A tenant that nobody else has, and all services."""
    return Office(engine, upstream, tenant=f"tenant-{next(_numbers)}")
