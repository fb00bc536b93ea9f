"""Measuring: rounds of the floor and of the operation in turn, so that what disturbs one disturbs the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from . import bare, cpu, host
from .client import CONNECTIONS, MakeLane, prepare, prepare_floor
from .databases import Database
from .operations import OPERATIONS, Mint, Operation
from .servers import Server, serve
from .statements import count_statements


@dataclass(frozen=True)
class Plan:
    """How much is sent."""

    rounds: int
    requests: int  # in a round
    warm_up: int


@dataclass(frozen=True)
class Round:
    """CPU seconds of as many requests to the floor and to the operation."""

    floor: float
    server: float
    database: float

    @property
    def ratio(self) -> float:
        """How many bare views the operation costs, its database included."""
        return (self.server + self.database) / self.floor


@dataclass(frozen=True)
class Measured:
    """One operation on one database; times are microseconds of CPU a request, medians of all rounds."""

    operation: str
    database: str
    floor_us: float
    server_us: float
    #: None: the processes of the database cannot be seen from here, and are not in the ratio.
    database_us: float | None
    ratio: float
    #: The smallest and the largest ratio of any round.
    spread: tuple[float, float]
    target: float | None
    statements: int

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one, or when a part of the cost could not be seen."""
        if self.target is None or self.database_us is None:
            return None
        return self.ratio <= self.target


def measure(database: Database, plan: Plan, wanted: str) -> Iterator[Measured]:
    """Every operation on one database whose title contains ``wanted``."""
    app = host.create(database.url)
    with app.app_context(), ExitStack() as running:
        db = app.extensions["sqlalchemy"]
        db.create_all()
        running.callback(db.engine.dispose)
        mint = Mint(app)
        floor = running.enter_context(serve("benchmarks.bare:create()"))
        operations = [operation for operation in OPERATIONS if wanted in operation.title]
        servers = {
            bound: running.enter_context(
                serve(f"benchmarks.host:create({database.url!r}, {bound})")
            )
            for bound in {operation.max_staleness for operation in operations}
        }
        for operation in operations:
            make_lane: MakeLane = partial(operation.lane, mint)
            server = servers[operation.max_staleness]
            rounds, visible = _rounds(
                make_lane, plan, floor=floor, server=server, database=database
            )
            statements = count_statements(
                host.create(database.url, operation.max_staleness), make_lane
            )
            yield _summary(operation, database, plan, rounds, visible, statements)


def _rounds(
    make_lane: MakeLane, plan: Plan, *, floor: Server, server: Server, database: Database
) -> tuple[list[Round], bool]:
    prepare(make_lane, plan.warm_up, server.port)()
    prepare_floor(make_lane, plan.warm_up, floor.port, path=bare.PATH)()
    tasks: list[Path] | None = database.tasks()

    def of_database() -> float:
        return cpu.seconds(tasks or [])

    def one() -> Round:
        send_floor = prepare_floor(make_lane, plan.requests, floor.port, path=bare.PATH)
        send = prepare(make_lane, plan.requests, server.port)
        (floor_time,) = _spent(send_floor, floor.cpu_seconds)
        server_time, database_time = _spent(send, server.cpu_seconds, of_database)
        return Round(floor_time, server_time, database_time)

    return [one() for _ in range(plan.rounds)], tasks is not None


def _spent(work: Callable[[], None], *clocks: Callable[[], float]) -> list[float]:
    before = [clock() for clock in clocks]
    work()
    return [clock() - start for clock, start in zip(clocks, before, strict=True)]


def _summary(
    operation: Operation,
    database: Database,
    plan: Plan,
    rounds: list[Round],
    visible: bool,
    statements: int,
) -> Measured:
    sent = plan.requests // CONNECTIONS * CONNECTIONS
    micro = 1e6 / sent
    ratios = [each.ratio for each in rounds]
    return Measured(
        operation=operation.title,
        database=database.title,
        floor_us=median(each.floor for each in rounds) * micro,
        server_us=median(each.server for each in rounds) * micro,
        database_us=median(each.database for each in rounds) * micro if visible else None,
        ratio=median(ratios),
        spread=(min(ratios), max(ratios)),
        target=operation.targets.get(database.title),
        statements=statements,
    )
