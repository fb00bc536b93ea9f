"""``flask activepieces tenants …``: removing all that a tenant has here."""

from __future__ import annotations

from dataclasses import asdict

import click
from flask.cli import AppGroup

from ..state import get_state
from .confirmation import confirm, yes_option
from .output import HOST_ID, as_json, print_json, reports_errors

tenants_cli = AppGroup("tenants", help="Tenants of the app.")


@tenants_cli.command("remove")
@click.argument("tenant_id", type=HOST_ID)
@yes_option
@as_json
@reports_errors
def remove(tenant_id: str, yes: bool, as_json: bool) -> None:
    """Revoke what was granted in a tenant, and delete its clients and integrations with their keys."""
    state = get_state()
    question = f"Remove all grants, clients and integrations of tenant {tenant_id}?"
    confirm(question, yes=yes, as_json=as_json)
    removed = state.tenant_removal.remove(tenant_id, now=state.now())
    if as_json:
        print_json(asdict(removed))
        return
    click.echo(
        f"Removed {removed.grants} grants, {removed.clients} clients"
        f" and {removed.integrations} integrations of tenant {tenant_id}."
    )
