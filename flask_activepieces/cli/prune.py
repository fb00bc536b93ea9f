"""``flask activepieces prune``: what a nightly job calls."""

from __future__ import annotations

from collections import Counter

import click
from flask.cli import with_appcontext

from ..state import get_state
from ..storage.prune import prune
from .output import as_json, print_json, reports_errors


@click.command("prune")
@with_appcontext
@click.option(
    "--batch",
    type=click.IntRange(1, 10_000),
    default=1000,
    show_default=True,
    help="Rows per statement.",
)
@click.option(
    "--audit-days",
    type=click.IntRange(1),
    default=400,
    show_default=True,
    help="Keep audit events so long.",
)
@as_json
@reports_errors
def prune_command(batch: int, audit_days: int, as_json: bool) -> None:
    """Delete expired revocations, token families and leases, and old audit events, in batches."""
    state = get_state()
    removed: Counter[str] = Counter()
    for table, rows in prune(state.database, now=state.now(), audit_days=audit_days, batch=batch):
        removed[table] += rows
        if not as_json:
            click.echo(f"{table}: {removed[table]} rows so far", err=True)
    if as_json:
        print_json(dict(removed))
    else:
        click.echo(f"Removed {removed.total()} rows.")
