"""The output: a table for people, JSON for scripts."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from .comparison import Comparison
from .delivery import DeliveryFigures
from .imports import ImportTimes
from .listing import Listing
from .measurement import Measurement, Plan
from .pages import PageCost
from .tool_listing import ToolListing

_PACKAGES = ("flask", "sqlalchemy", "authlib", "joserfc", "requests", "psycopg", "gunicorn")
_ROW = "{:<28} {:<11} {:>7} {:>7} {:>9} {:>7} {:>13} {:>7} {:>4} {:>4}"


def heading() -> str:
    """The names of the columns. Times are microseconds of CPU per request."""
    names = ("operation", "database", "baseline", "server", "database", "ratio", "spread")
    line = _ROW.format(*names, "target", "met", "SQL")
    return f"{line}\n{'-' * len(line)}"


def row(measurement: Measurement) -> str:
    """An operation on a database."""
    return _ROW.format(
        measurement.operation,
        measurement.database,
        f"{measurement.baseline_us:.0f}",
        f"{measurement.server_us:.0f}",
        "not seen" if measurement.database_us is None else f"{measurement.database_us:.0f}",
        f"{measurement.ratio:.2f}",
        f"{measurement.spread[0]:.2f}-{measurement.spread[1]:.2f}",
        "" if measurement.target is None else f"{measurement.target:.2f}",
        _yes_or_no(measurement.met),
        measurement.statements,
    )


def comparison_line(comparison: Comparison) -> str:
    """An operation as a multiple of another one."""
    return (
        f"{comparison.operation}, {comparison.database}: {comparison.ratio:.2f} times {comparison.other}"
        f" (target {comparison.target:.2f}, met: {_yes_or_no(comparison.met)})"
    )


def missed_lines(missed: Sequence[str]) -> str:
    """The targets that were missed."""
    return "\n".join(["Missed targets:", *(f"- {name}" for name in missed)] if missed else ["No target was missed."])


def tool_list_line(listing: ToolListing) -> str:
    """The cost of a list of tools."""
    return (
        f"listing {listing.tools:,} tools: {listing.listed_ms:.1f} ms of CPU in {listing.pages} pages"
        f" (target {listing.target:.0f}, met: {_yes_or_no(listing.met)})"
    )


def page_line(cost: PageCost) -> str:
    """The cost of a page of a long list."""
    return (
        f"page of {cost.page}: {cost.few_ms:.1f} ms of CPU with one more than fit on a page; with {cost.rows:,}"
        f" {cost.first_ms:.1f} ms for the first and {cost.last_ms:.1f} ms for the last page: {cost.ratio:.2f} (target"
        f" {cost.target:.2f}, met: {_yes_or_no(cost.met)})"
    )


def import_line(times: ImportTimes) -> str:
    """The cost of importing the package."""
    return (
        f"import: {times.package_ms:.0f} ms of CPU, against {times.base_ms:.0f} ms for its dependencies:"
        f" {times.ratio:.2f} (target {times.target:.2f}, met: {_yes_or_no(times.met)})"
    )


def listing_line(listing: Listing) -> str:
    """The cost of a list of connections."""
    return (
        f"listing 1,000 connections: {listing.listed_ms:.1f} ms of CPU, against {listing.baseline_ms:.1f} ms for a"
        f" plain call and json.loads: {listing.ratio:.2f} ({listing.spread[0]:.2f}-{listing.spread[1]:.2f},"
        f" target {listing.target:.2f}, met: {_yes_or_no(listing.met)})"
    )


def delivery_lines(figures: DeliveryFigures) -> str:
    """What events cost on a database."""
    lines = [
        f"events, {figures.database}: {figures.emit_ms:.2f} ms of CPU for emit, of which the INSERT is"
        f" {figures.insert_ms:.2f} ms (target {figures.emit_target}, met:"
        f" {_yes_or_no(figures.emit_met)});"
        f" {figures.per_cpu_second:.0f} deliveries for each second of CPU,"
        f" {figures.ordered_per_cpu_second:.0f} in order (target {figures.speed_target:.0f}, met:"
        f" {_yes_or_no(figures.speed_met)})"
    ]
    if figures.claim_few_ms is not None and figures.claim_many_ms is not None:
        lines.append(
            f"claiming, {figures.database}: {figures.claim_few_ms:.0f} ms with few and {figures.claim_many_ms:.0f} ms"
            " with many waiting deliveries"
        )
    return "\n".join(lines)


def environment() -> str:
    """The versions and the hardware that the figures depend on."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"Python {platform.python_version()}, {versions}; {os.cpu_count()} processors"


def write_json(
    path: Path,
    plan: Plan,
    measurements: list[Measurement],
    comparisons: list[Comparison],
    deliveries: list[DeliveryFigures],
    imports: ImportTimes,
    listing: Listing,
    tools: ToolListing,
    pages: list[PageCost],
) -> None:
    """Write all figures to a file."""
    document = {
        "environment": environment(),
        "plan": asdict(plan),
        "operations": [{**asdict(each), "met": each.met} for each in measurements],
        "deliveries": [asdict(each) for each in deliveries],
        "imports": {**asdict(imports), "met": imports.met},
        "listing": {**asdict(listing), "met": listing.met},
        "tools": {**asdict(tools), "met": tools.met},
        "pages": [{**asdict(each), "met": each.met} for each in pages],
        "comparisons": [comparison_line(each) for each in comparisons],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _yes_or_no(met: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[met]
