"""Where races are run: four processes of eight threads, on every database, and a quick one for every day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.databases import Kind
from tests.support.scenes import Scene, open_scene


@dataclass(frozen=True)
class Stage:
    """How a scene is opened."""

    kind: Kind
    volley: int = 50
    rounds: int = 8
    #: Options of the host's engine, for hosts and servers that do not keep to the defaults.
    engine: dict[str, Any] = field(default_factory=dict)


_SNAPSHOTS = {"connect_args": {"init_command": "SET innodb_snapshot_isolation = ON"}}

STAGES = [
    pytest.param(Stage("sqlite", volley=20, rounds=1), id="quick"),
    pytest.param(Stage("sqlite"), marks=pytest.mark.long, id="sqlite"),
    pytest.param(Stage("postgres"), marks=[pytest.mark.long, pytest.mark.postgres], id="postgres"),
    pytest.param(
        Stage("postgres", rounds=3, engine={"isolation_level": "REPEATABLE READ"}),
        marks=[pytest.mark.long, pytest.mark.postgres],
        id="postgres-repeatable-read",
    ),
    pytest.param(Stage("mariadb"), marks=[pytest.mark.long, pytest.mark.mariadb], id="mariadb"),
    pytest.param(
        # The default since MariaDB 11.6.
        Stage("mariadb", rounds=3, engine=_SNAPSHOTS),
        marks=[pytest.mark.long, pytest.mark.mariadb],
        id="mariadb-snapshot-isolation",
    ),
]


@pytest.fixture(scope="session", params=STAGES)
def shared_scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """One server for all races on one database; each race has its own client."""
    stage: Stage = request.param
    with open_scene(
        stage.kind,
        tmp_path_factory.mktemp("race"),
        threads=8,
        volley=stage.volley,
        rounds=stage.rounds,
        SQLALCHEMY_ENGINE_OPTIONS=stage.engine,
    ) as scene:
        yield scene


@pytest.fixture
def scene(shared_scene: Scene) -> Iterator[Scene]:
    """The scene; a race in which anything of the app raised is lost, whatever was answered."""
    before = len(shared_scene.server.log())
    yield shared_scene
    assert "Traceback" not in shared_scene.server.log()[before:]
