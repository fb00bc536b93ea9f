"""``flask activepieces tenants``: removing all data of a tenant."""

from __future__ import annotations

from dataclasses import asdict

import click
from flask.cli import AppGroup

from ..state import get_state
from .output import HostId, confirm, counted, json_option, print_json, yes_option

tenants_cli = AppGroup("tenants", help="Tenants of the app.")


@tenants_cli.command("remove")
@click.argument("tenant_id", type=HostId())
@yes_option
@json_option
def remove(tenant_id: str, yes: bool, as_json: bool) -> None:
    """Revoke all grants of a tenant, and delete its OAuth clients and integrations with their credentials."""
    state = get_state()
    question = f"Remove all grants, clients and integrations of tenant {tenant_id}?"
    confirm(question, yes=yes, as_json=as_json)
    removed = state.tenant_removal.remove(tenant_id)
    if as_json:
        print_json(asdict(removed))
        return
    click.echo(
        f"Removed {counted(removed.grants, 'grant')}, {counted(removed.clients, 'client')}"
        f" and {counted(removed.integrations, 'integration')} of tenant {tenant_id}."
    )
