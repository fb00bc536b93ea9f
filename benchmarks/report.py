"""The table that people read, and the JSON that scripts read."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from .imports import Imports
from .listing import Listing
from .measurement import Measured, Plan

_PACKAGES = ("flask", "sqlalchemy", "authlib", "joserfc", "requests", "psycopg", "gunicorn")
_ROW = "{:<28} {:<11} {:>7} {:>7} {:>9} {:>7} {:>13} {:>7} {:>4} {:>4}"


def heading() -> str:
    """The names of the columns; times are microseconds of CPU a request."""
    names = ("operation", "database", "baseline", "server", "database", "ratio", "spread")
    line = _ROW.format(*names, "target", "met", "SQL")
    return f"{line}\n{'-' * len(line)}"


def row(found: Measured) -> str:
    """One operation on one database."""
    return _ROW.format(
        found.operation,
        found.database,
        f"{found.baseline_us:.0f}",
        f"{found.server_us:.0f}",
        "not seen" if found.database_us is None else f"{found.database_us:.0f}",
        f"{found.ratio:.2f}",
        f"{found.spread[0]:.2f}-{found.spread[1]:.2f}",
        "" if found.target is None else f"{found.target:.2f}",
        _verdict_text(found.met),
        found.statements,
    )


def import_line(found: Imports) -> str:
    """The import times."""
    return (
        f"import: {found.package_ms:.0f} ms of CPU, against {found.base_ms:.0f} ms for what it is built on:"
        f" {found.ratio:.2f} (target {found.target:.2f}, met: {_verdict_text(found.met)})"
    )


def listing_line(found: Listing) -> str:
    """The cost of a list of connections."""
    return (
        f"listing 1,000 connections: {found.listed_ms:.1f} ms of CPU, against {found.baseline_ms:.1f} ms for a plain"
        f" call and json.loads: {found.ratio:.2f} ({found.spread[0]:.2f}-{found.spread[1]:.2f},"
        f" target {found.target:.2f}, met: {_verdict_text(found.met)})"
    )


def surroundings() -> str:
    """What the figures depend on."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"Python {platform.python_version()}, {versions}; {os.cpu_count()} processors"


def write_json(
    path: Path, plan: Plan, found: list[Measured], imports: Imports, listing: Listing
) -> None:
    """Everything, for scripts."""
    document = {
        "surroundings": surroundings(),
        "plan": asdict(plan),
        "operations": [{**asdict(each), "met": each.met} for each in found],
        "imports": {**asdict(imports), "met": imports.met},
        "listing": {**asdict(listing), "met": listing.met},
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _verdict_text(met: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[met]
