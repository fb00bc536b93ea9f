"""Where things break: servers of two processes whose workers can be killed and whose database can go away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import MARIADB, POSTGRES, SQLITE, Kind
from tests.support.proxies import Proxy, proxy_before
from tests.support.requirements import require
from tests.support.scenes import Scene, open_scene


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES, MARIADB])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """A server on each database."""
    kind: Kind = request.param
    with open_scene(kind, tmp_path_factory.mktemp("fault"), workers=2) as scene:
        yield scene


@pytest.fixture(scope="module", params=[POSTGRES, MARIADB])
def remote(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Scene, Proxy]]:
    """A server whose database is behind a proxy; this process has its own way to the database."""
    kind = request.param
    directory = tmp_path_factory.mktemp("remote")
    # A statement that psycopg has prepared would go over the wire without its words, which cuts look for.
    engine = {"connect_args": {"prepare_threshold": None}} if kind == "postgres" else {}
    with (
        proxy_before(require(kind)) as proxy,
        open_scene(
            kind,
            directory,
            workers=2,
            served_through=proxy.through,
            SQLALCHEMY_ENGINE_OPTIONS=engine,
        ) as scene,
    ):
        yield scene, proxy


@pytest.fixture
def outage(remote: tuple[Scene, Proxy]) -> Iterator[Proxy]:
    """The proxy, open again whatever the test did to it."""
    _, proxy = remote
    yield proxy
    proxy.cut = None
    proxy.open()
