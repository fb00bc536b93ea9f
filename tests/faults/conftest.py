"""Fault tests: servers of two processes whose workers can be killed and whose database can become unreachable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import MARIADB, POSTGRES, SQLITE, Kind
from tests.support.proxies import Proxy, proxy_for
from tests.support.race_environment import RaceEnvironment, race_environment
from tests.support.requirements import require

#: The statement that stores the tokens of a redemption or a refresh.
TOKEN_WRITE = rb"(?:INSERT (?:IGNORE )?INTO|UPDATE) activepieces_token_families"


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES, MARIADB])
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RaceEnvironment]:
    """A server on each database."""
    kind: Kind = request.param
    with race_environment(kind, tmp_path_factory.mktemp("fault"), workers=2) as environment:
        yield environment


@pytest.fixture(scope="module", params=[POSTGRES, MARIADB])
def remote(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RaceEnvironment, Proxy]]:
    """A server whose database is behind a proxy; this process connects to the database directly."""
    kind = request.param
    directory = tmp_path_factory.mktemp("remote")
    # psycopg sends prepared statements without their SQL, which the cuts search for.
    engine = {"connect_args": {"prepare_threshold": None}} if kind == "postgres" else {}
    with (
        proxy_for(require(kind)) as proxy,
        race_environment(
            kind, directory, workers=2, served_through=proxy.through, SQLALCHEMY_ENGINE_OPTIONS=engine
        ) as environment,
    ):
        yield environment, proxy


@pytest.fixture
def outage(remote: tuple[RaceEnvironment, Proxy]) -> Iterator[Proxy]:
    """The proxy, reopened after the test."""
    _, proxy = remote
    yield proxy
    proxy.cut = None
    proxy.open()
