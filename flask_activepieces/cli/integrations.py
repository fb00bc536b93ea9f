"""``flask activepieces integrations``: which tenants use Activepieces, and whether their connections work."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup

from ..clock import as_iso
from ..errors import ActivepiecesError, NotFound
from ..integrations.store import Integration
from ..state import State, get_state
from .output import HostId, confirm, counted, json_option, print_rows, yes_option

integrations_cli = AppGroup("integrations", help="Integrations: tenants and their projects.")

_COLUMNS = ("id", "tenant_id", "organization_id", "project_id", "credential", "enabled")
_PROBLEM_COLUMNS = ("integration_id", "tenant_id", "problem", "what_to_do")
_PROBLEMS = {"ERROR": "does not work any more", "MISSING": "was never given a value"}

_tenant_option = click.option("--tenant", "tenant_id", type=HostId(), help="Only integrations of this tenant.")


@integrations_cli.command("list")
@_tenant_option
@json_option
def list_integrations(tenant_id: str | None, as_json: bool) -> None:
    """List the integrations; credentials are masked."""
    rows = [_row(integration) for integration in _selected(get_state(), tenant_id)]
    print_rows(rows, _COLUMNS, empty="No tenant is connected to Activepieces.", as_json=as_json)


@integrations_cli.command("check")
@_tenant_option
@json_option
def check(tenant_id: str | None, as_json: bool) -> None:
    """Check all connections; exit code 1 if any does not work, or Activepieces cannot be asked.

    Disabled integrations are skipped. The signal connection_failed is sent for each newly broken connection.
    """
    state = get_state()
    enabled = [each for each in _selected(state, tenant_id) if each.enabled]
    rows = [row for integration in enabled for row in _problem_rows(state, integration)]
    healthy = f"Checked {counted(len(enabled), 'integration')}: all connections work."
    empty = healthy if enabled else "There are no enabled integrations to check."
    print_rows(rows, _PROBLEM_COLUMNS, empty=empty, as_json=as_json)
    if rows:
        raise SystemExit(1)


@integrations_cli.command("remove")
@click.argument("integration_id")
@yes_option
def remove(integration_id: str, yes: bool) -> None:
    """Remove an integration with its credentials and its OAuth client; connections stay in Activepieces."""
    state = get_state()
    matching = [each for each in state.tenants.integrations.list_all() if each.id == integration_id]
    if not matching:
        raise NotFound("integration", integration_id)
    (integration,) = matching
    confirm(f"Remove the integration of tenant {integration.tenant_id} and its key?", yes=yes)
    state.tenants.integrations.remove(integration, user_id=None)
    click.echo(f"Removed integration {integration.id}.")


def _selected(state: State, tenant_id: str | None) -> list[Integration]:
    if tenant_id is None:
        return state.tenants.integrations.list_all()
    return state.tenants.integrations.list_for_tenant(tenant_id)


def _problem_rows(state: State, integration: Integration) -> list[dict[str, Any]]:
    ids = {"integration_id": integration.id, "tenant_id": integration.tenant_id}
    try:
        broken = state.tenants.connection_health.check(integration)
    except ActivepiecesError as error:  # for example removed meanwhile; the others are still checked
        return [{**ids, "problem": str(error), "what_to_do": None}]
    return [
        {
            **ids,
            "problem": f"{each.display_name} ({each.piece_name}) {_PROBLEMS[each.status]}",
            "what_to_do": f"reconnect at {each.reconnect_url}",
            "connection_id": each.connection_id,
            "status": each.status,
            "is_new": each.is_new,
        }
        for each in broken
    ]


def _row(integration: Integration) -> dict[str, Any]:
    return {
        "id": integration.id,
        "tenant_id": integration.tenant_id,
        "organization_id": integration.organization_id,
        "base_url": integration.base_url,
        "project_id": integration.project_id,
        "credential": integration.credential_hint or "the app's own key",
        "enabled": integration.enabled,
        "failed_connection_ids": list(integration.failed_connection_ids),
        "created_at": as_iso(integration.created_at),
        "updated_at": as_iso(integration.updated_at),
    }
