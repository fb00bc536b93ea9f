"""Which targets a run of the benchmarks missed."""

from __future__ import annotations

from dataclasses import replace

from benchmarks import report
from benchmarks.comparison import compare
from benchmarks.delivery import DeliveryFigures
from benchmarks.imports import ImportTimes
from benchmarks.listing import Listing
from benchmarks.measurement import Measurement
from benchmarks.pages import PageCost
from benchmarks.targets import missed_targets
from benchmarks.tool_listing import ToolListing

VIEW = Measurement(
    operation="protected view, strict",
    database="SQLite",
    baseline_us=100,
    server_us=100,
    database_us=10,
    ratio=1.1,
    spread=(1.0, 1.2),
    target=1.1,
    statements=1,
)
TOOL_CALL = replace(VIEW, operation="tool call, strict", ratio=1.2, target=None)
DELIVERY = DeliveryFigures("SQLite", 0.3, 0.2, 500, 400, None, None)
IMPORTS = ImportTimes(base_ms=100, package_ms=180, ratio=1.8, target=1.8)
LISTING = Listing(baseline_ms=1, listed_ms=3, ratio=3, spread=(3, 3), target=3)
PAGE = PageCost("runs", 1000, few_ms=2, first_ms=3, last_ms=3, target=1.5)
TOOLS = ToolListing(tools=1000, pages=20, listed_ms=10, target=10)


def missed(
    *measurements: Measurement,
    delivery: DeliveryFigures = DELIVERY,
    imports: ImportTimes = IMPORTS,
    listing: Listing = LISTING,
    tools: ToolListing = TOOLS,
    page: PageCost = PAGE,
) -> list[str]:
    return missed_targets(measurements, compare(measurements), [delivery], imports, listing, tools, [page])


def test_figures_that_equal_their_targets_miss_none() -> None:
    assert missed(VIEW, TOOL_CALL) == []


def test_each_figure_beyond_its_target_is_named() -> None:
    names = missed(
        replace(VIEW, ratio=1.11),
        replace(TOOL_CALL, ratio=1.8),
        delivery=replace(DELIVERY, emit_ms=0.31, ordered_per_cpu_second=399),
        imports=replace(IMPORTS, ratio=1.81),
        listing=replace(LISTING, ratio=3.01),
        tools=replace(TOOLS, listed_ms=10.1),
        page=replace(PAGE, last_ms=3.1),
    )

    assert names == [
        "protected view, strict, SQLite",
        "tool call, strict, SQLite, against protected view, strict",
        "emit, SQLite",
        "deliveries in order, SQLite",
        "import",
        "listing connections",
        "listing tools",
        "page of runs",
    ]


def test_what_has_no_target_or_was_not_seen_misses_none() -> None:
    assert missed(replace(TOOL_CALL, ratio=99), replace(VIEW, ratio=99, database_us=None)) == []


def test_the_missed_targets_are_printed() -> None:
    assert report.missed_lines(["import", "emit, SQLite"]) == "Missed targets:\n- import\n- emit, SQLite"
    assert report.missed_lines([]) == "No target was missed."
