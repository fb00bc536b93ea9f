"""Measures the baseline and the operations in alternating rounds, so that other load affects both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from . import baseline, cpu, host
from .client import CONNECTIONS, MakeStream, prepare, prepare_baseline
from .databases import Database
from .operations import OPERATIONS, Operation, TokenFactory
from .servers import Server, serve
from .statements import count_statements


@dataclass(frozen=True)
class Plan:
    """The number of rounds and requests."""

    rounds: int
    requests: int  # in a round
    warm_up: int


@dataclass(frozen=True)
class Round:
    """CPU seconds of the baseline and of the operation, for the same number of requests."""

    baseline_server: float
    server: float
    database: float

    @property
    def ratio(self) -> float:
        """The cost of the operation, including its database, as a multiple of the baseline."""
        return (self.server + self.database) / self.baseline_server


@dataclass(frozen=True)
class Measurement:
    """An operation on a database. Times are medians of all rounds, in microseconds of CPU per request."""

    operation: str
    database: str
    baseline_us: float
    server_us: float
    #: None if the database's processes are not visible; the ratio then excludes them.
    database_us: float | None
    ratio: float
    #: The smallest and the largest ratio.
    spread: tuple[float, float]
    target: float | None
    statements: int

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target, or if the database's cost is not visible."""
        if self.target is None or self.database_us is None:
            return None
        return self.ratio <= self.target


def measure(database: Database, plan: Plan, name: str) -> Iterator[Measurement]:
    """Measure the operations on this database whose titles contain ``name``."""
    app = host.create(database.url)
    with app.app_context(), ExitStack() as running:
        db = app.extensions["sqlalchemy"]
        db.create_all()
        running.callback(db.engine.dispose)
        token_factory = TokenFactory(app)
        baseline_server = running.enter_context(serve("benchmarks.baseline:create()"))
        operations = [operation for operation in OPERATIONS if name in operation.title]
        servers = {
            bound: running.enter_context(serve(f"benchmarks.host:create({database.url!r}, {bound})"))
            for bound in {operation.max_staleness for operation in operations}
        }
        for operation in operations:
            make_stream: MakeStream = partial(operation.stream, token_factory)
            server = servers[operation.max_staleness]
            rounds, visible = _rounds(
                make_stream, plan, baseline_server=baseline_server, server=server, database=database
            )
            statements = count_statements(host.create(database.url, operation.max_staleness), make_stream)
            yield _summarize(operation, database, plan, rounds, visible, statements)


def _rounds(
    make_stream: MakeStream, plan: Plan, *, baseline_server: Server, server: Server, database: Database
) -> tuple[list[Round], bool]:
    prepare(make_stream, plan.warm_up, server.port)()
    prepare_baseline(make_stream, plan.warm_up, baseline_server.port, path=baseline.PATH)()
    tasks: list[Path] | None = database.tasks()

    def database_seconds() -> float:
        return cpu.seconds(tasks or [])

    def measure_round() -> Round:
        send_baseline = prepare_baseline(make_stream, plan.requests, baseline_server.port, path=baseline.PATH)
        send = prepare(make_stream, plan.requests, server.port)
        (baseline_time,) = _measure_clocks(send_baseline, baseline_server.cpu_seconds)
        server_time, database_time = _measure_clocks(send, server.cpu_seconds, database_seconds)
        return Round(baseline_time, server_time, database_time)

    return [measure_round() for _ in range(plan.rounds)], tasks is not None


def _measure_clocks(function: Callable[[], None], *clocks: Callable[[], float]) -> list[float]:
    before = [clock() for clock in clocks]
    function()
    return [clock() - start for clock, start in zip(clocks, before, strict=True)]


def _summarize(
    operation: Operation, database: Database, plan: Plan, rounds: list[Round], visible: bool, statements: int
) -> Measurement:
    sent = plan.requests // CONNECTIONS * CONNECTIONS
    micro = 1e6 / sent
    ratios = [each.ratio for each in rounds]
    return Measurement(
        operation=operation.title,
        database=database.title,
        baseline_us=median(each.baseline_server for each in rounds) * micro,
        server_us=median(each.server for each in rounds) * micro,
        database_us=median(each.database for each in rounds) * micro if visible else None,
        ratio=median(ratios),
        spread=(min(ratios), max(ratios)),
        target=operation.targets.get(database.title),
        statements=statements,
    )
