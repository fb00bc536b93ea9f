"""Race tests: four processes of eight threads on every database, and a quick variant for every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.databases import Kind
from tests.support.document_clients import ACCEPTING
from tests.support.race_environment import RaceEnvironment, race_environment


@dataclass(frozen=True)
class RaceSetup:
    """The database and load of a race."""

    kind: Kind
    concurrency: int = 50
    rounds: int = 8
    #: Options of the host's engine, to test other settings than the defaults.
    engine: dict[str, Any] = field(default_factory=dict)


_SNAPSHOTS = {"connect_args": {"init_command": "SET innodb_snapshot_isolation = ON"}}

RACE_SETUPS = [
    pytest.param(RaceSetup("sqlite", concurrency=20, rounds=1), id="quick"),
    pytest.param(RaceSetup("sqlite"), marks=pytest.mark.long, id="sqlite"),
    pytest.param(RaceSetup("postgres"), marks=[pytest.mark.long, pytest.mark.postgres], id="postgres"),
    pytest.param(
        RaceSetup("postgres", rounds=3, engine={"isolation_level": "REPEATABLE READ"}),
        marks=[pytest.mark.long, pytest.mark.postgres],
        id="postgres-repeatable-read",
    ),
    pytest.param(RaceSetup("mariadb"), marks=[pytest.mark.long, pytest.mark.mariadb], id="mariadb"),
    pytest.param(
        # The default since MariaDB 11.6.
        RaceSetup("mariadb", rounds=3, engine=_SNAPSHOTS),
        marks=[pytest.mark.long, pytest.mark.mariadb],
        id="mariadb-snapshot-isolation",
    ),
]


@pytest.fixture(scope="session", params=RACE_SETUPS)
def shared_environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RaceEnvironment]:
    """One server for all races on one database; each race registers its own client."""
    race_setup: RaceSetup = request.param
    with race_environment(
        race_setup.kind,
        tmp_path_factory.mktemp("race"),
        threads=8,
        concurrency=race_setup.concurrency,
        rounds=race_setup.rounds,
        SQLALCHEMY_ENGINE_OPTIONS=race_setup.engine,
        ACTIVEPIECES_DYNAMIC_REGISTRATION=True,
        **ACCEPTING,
    ) as environment:
        yield environment


@pytest.fixture
def environment(shared_environment: RaceEnvironment) -> Iterator[RaceEnvironment]:
    """The environment of a race, which fails if the app logged a traceback."""
    before = len(shared_environment.server.log())
    yield shared_environment
    assert "Traceback" not in shared_environment.server.log()[before:]
