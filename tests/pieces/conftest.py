"""A piece in Node, and the app that it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.imitated_engine import ImitatedEngine
from tests.support.piece_engine import Asked, LoadedPiece, load, running_engine
from tests.support.piece_host import PieceHost, running_host
from tests.support.piece_manifest import manifest

#: Upstream's whole value of a connection. Only the access token may leave the piece.
CONNECTION = {
    "type": "OAUTH2",
    "client_id": "the-client",
    "client_secret": "SECRET client secret",
    "code": "SECRET code",
    "access_token": "access-token-of-ann",
    "refresh_token": "SECRET refresh token",
    "data": {"refresh_token": "SECRET refresh token"},
    "props": {},
}
LoadPiece = Callable[..., LoadedPiece]


@pytest.fixture(scope="module", params=["JavaScript", "stand-in"])
def engine(request: pytest.FixtureRequest) -> Iterator[Asked]:
    """The package of a piece in Node, and what the stand-in does in its place: both are the same to a test."""
    if request.param == "stand-in":
        yield ImitatedEngine()
    else:
        with running_engine() as engine:
            yield engine


@pytest.fixture
def host() -> Iterator[PieceHost]:
    with running_host() as host:
        yield host


@pytest.fixture
def load_piece(engine: Asked, host: PieceHost, tmp_path: Path) -> LoadPiece:
    """Builds and loads a piece of the host's, with more in its manifest."""

    def load_with(connection: dict[str, Any] | None = CONNECTION, **more: Any) -> LoadedPiece:
        return load(engine, tmp_path, manifest(host.url, **more), connection or {})

    return load_with
