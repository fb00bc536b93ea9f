"""The commands under ``flask activepieces``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from .. import signals
from ..clock import as_iso
from ..state import get_state
from ..storage.audit import Event
from ..storage.audit_log import AuditFilter
from ..storage.event_tables import subscriptions
from ..storage.maintenance import prune
from ..web.api.openapi import openapi_document
from .client_policy import client_policy_cli
from .clients import client_cli
from .deliver import deliver_command
from .deliveries import deliveries_cli
from .doctor import doctor_command
from .embedding import embedding_cli
from .grants import grants_cli
from .integrations import integrations_cli
from .keys import keys_cli
from .mcp import mcp_cli
from .output import (
    CommandGroup,
    HostId,
    confirm,
    counted,
    json_option,
    print_json,
    print_result,
    print_rows,
    yes_option,
)
from .piece import piece_cli
from .tokens import tokens_cli
from .try_command import try_command

__all__ = ["activepieces_cli"]

_AUDIT_COLUMNS = ("at", "name", "tenant_id", "user_id", "client_id", "detail")

tenants_cli = AppGroup("tenants", help="Tenants of the app.")
activepieces_cli = CommandGroup("activepieces", help="Manage the Activepieces integration of this app.")
for group in (
    client_cli,
    client_policy_cli,
    deliveries_cli,
    embedding_cli,
    grants_cli,
    integrations_cli,
    keys_cli,
    mcp_cli,
    piece_cli,
    tenants_cli,
    tokens_cli,
):
    activepieces_cli.add_command(group)
for command in (deliver_command, doctor_command, try_command):
    activepieces_cli.add_command(command)


@activepieces_cli.command("prune")
@click.option("--batch", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="Rows per statement.")
@click.option(
    "--audit-days",
    type=click.IntRange(1),
    default=400,
    show_default=True,
    help="Keep audit events for this many days.",
)
@json_option
def prune_command(batch: int, audit_days: int, as_json: bool) -> None:
    """Delete expired revocations, token families and leases, old audit events and old deliveries, in batches.

    Also subscriptions of flows that ask for events themselves, and have stopped asking.
    """
    state = get_state()
    deleted: Counter[str] = Counter()
    days = state.settings.delivery_retention_days
    if abandoned := state.delivery.subscriptions.remove_abandoned(days=days):
        deleted[subscriptions.name] = abandoned
    for table, rows in prune(state.database, now=state.now(), audit_days=audit_days, delivery_days=days, batch=batch):
        deleted[table] += rows
        if not as_json:
            click.echo(f"{table}: {deleted[table]} rows so far", err=True)
    print_result(dict(deleted), f"Deleted {counted(deleted.total(), 'row')}.", as_json=as_json)


@activepieces_cli.command("audit")
@click.option("--tenant", "tenant_id", type=HostId(), help="Only events of this tenant.")
@click.option("--user", "user_id", type=HostId(), help="Only events of this user.")
@click.option(
    "--event",
    "names",
    type=click.Choice(list(signals.BY_NAME)),
    metavar="NAME",
    multiple=True,
    help="Only events with this name, such as grant.revoked; repeatable.",
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="TIME",
    help="Only events from this day or time on, in UTC, such as 2026-11-30 or 2026-11-30T08:00:00Z.",
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The number of events, at most."
)
@json_option
def audit_command(
    tenant_id: str | None,
    user_id: str | None,
    names: Sequence[str],
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the newest audit events: who did what."""
    chosen = AuditFilter(
        names=names,
        user_id=user_id,
        since=None if since is None else int(since.replace(tzinfo=timezone.utc).timestamp()),
    )
    events = get_state().audit_log.list(tenant_id, chosen, limit=limit).items
    rows = [_event_row(event) | ({} if as_json else {"detail": _lines(event)}) for event in events]
    print_rows(rows, _AUDIT_COLUMNS, empty="There are no events.", as_json=as_json)


@activepieces_cli.command("openapi")
def openapi_command() -> None:
    """Print the OpenAPI 3.1 document of the JSON API, as this app is configured."""
    print_json(openapi_document(current_app, server=get_state().settings.public_url))


@tenants_cli.command("remove")
@click.argument("tenant_id", type=HostId())
@yes_option
@json_option
def remove_tenant(tenant_id: str, yes: bool, as_json: bool) -> None:
    """Revoke all grants of a tenant, and delete its OAuth clients, integrations, tokens and events."""
    question = f"Remove all grants, clients and integrations of tenant {tenant_id}?"
    confirm(question, yes=yes, as_json=as_json)
    removed = get_state().tenants.tenant_removal.remove(tenant_id)
    grants, clients = counted(removed.grants, "grant"), counted(removed.clients, "client")
    integrations = counted(removed.integrations, "integration")
    line = f"Removed {grants}, {clients} and {integrations} of tenant {tenant_id}."
    print_result(asdict(removed), line, as_json=as_json)


def _event_row(event: Event) -> dict[str, Any]:
    return {**vars(event), "at": as_iso(event.at)}


def _lines(event: Event) -> list[str]:
    return [f"{name}: {value}" for name, value in event.detail.items()]
