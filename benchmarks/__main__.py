"""``python -m benchmarks``: run all benchmarks and print a table. It exits with 1 if a target was missed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from . import report
from .comparison import compare
from .databases import Database, server, sqlite
from .delivery import MANY, DeliveryFigures, measure_delivery
from .imports import measure_imports
from .listing import measure_listing
from .measurement import Measurement, Plan, measure
from .pages import measure_pages
from .targets import missed_targets
from .tool_listing import measure_tool_listing

_POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/test"
_FULL = Plan(rounds=9, requests=600, warm_up=200)
_QUICK = Plan(rounds=3, requests=200, warm_up=100)


def main() -> int:
    """Run the benchmarks that the command line selects; 1 if a target was missed."""
    options = _options()
    plan = _QUICK if options.quick else _FULL
    print(f"{report.environment()}\n\n{report.heading()}")
    measurements: list[Measurement] = []
    deliveries: list[DeliveryFigures] = []
    for database in _databases(options):
        try:
            with database as opened:
                for measurement in measure(opened, plan, options.only):
                    measurements.append(measurement)
                    print(report.row(measurement), flush=True)
        except DBAPIError as error:
            print(f"not measured: {str(error.orig).splitlines()[0]}")
    comparisons = compare(measurements)
    print("\n" + "\n".join(map(report.comparison_line, comparisons)), flush=True)
    for figures in _deliveries(options):
        print(f"\n{report.delivery_lines(figures)}", flush=True)
        deliveries.append(figures)
    imports = measure_imports(3 if options.quick else 15)
    listing = measure_listing(plan.rounds)
    tools = measure_tool_listing(plan.rounds)
    pages = measure_pages(plan.rounds)
    print(f"\n{report.import_line(imports)}\n{report.listing_line(listing)}\n{report.tool_list_line(tools)}")
    print("\n" + "\n".join(map(report.page_line, pages)))
    if options.json:
        report.write_json(options.json, plan, measurements, comparisons, deliveries, imports, listing, tools, pages)
    missed = missed_targets(measurements, comparisons, deliveries, imports, listing, tools, pages)
    print(f"\n{report.missed_lines(missed)}")
    return 1 if missed else 0


def _deliveries(options: argparse.Namespace) -> Iterator[DeliveryFigures]:
    rounds, many = (2, 100_000) if options.quick else (5, MANY)
    for database in (sqlite(), server(options.postgres)):
        try:
            with database as opened:
                yield measure_delivery(opened, rounds=rounds, many=many)
        except DBAPIError as error:
            print(f"not measured: {str(error.orig).splitlines()[0]}")


def _databases(options: argparse.Namespace) -> Iterator[AbstractContextManager[Database]]:
    yield sqlite()
    yield server(options.postgres)
    if options.mariadb:
        yield server(options.mariadb)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--only", default="", metavar="NAME", help="only operations with NAME in their title")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    parser.add_argument(
        "--postgres",
        default=os.environ.get("TEST_POSTGRES_URL") or _POSTGRES,
        metavar="URL",
        help="a database on the server; the benchmarks create their own database there and drop it",
    )
    parser.add_argument("--mariadb", metavar="URL", help="also measure MariaDB or MySQL")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
