"""``flask activepieces integrations …``: which tenants are linked with Activepieces, and whether that works."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup

from ..clock import as_iso
from ..errors import ActivepiecesError, NotFound
from ..integrations.store import Integration
from ..state import State, get_state
from .confirmation import confirm, yes_option
from .output import HOST_ID, as_json, print_json, print_table, reports_errors

integrations_cli = AppGroup("integrations", help="Integrations: tenants and their projects.")

_COLUMNS = ("id", "tenant_id", "organization_id", "project_id", "credential", "enabled")
_WHAT = {"ERROR": "does not work any more", "MISSING": "was never given a value"}
_FINDINGS = ("integration_id", "tenant_id", "problem", "what_to_do")

_tenant = click.option("--tenant", type=HOST_ID, help="Only of this tenant.")


@integrations_cli.command("list")
@_tenant
@as_json
@reports_errors
def list_integrations(tenant: str | None, as_json: bool) -> None:
    """List the integrations; of a credential, the last four characters."""
    rows = [_row(integration) for integration in _wanted(get_state(), tenant)]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, _COLUMNS, empty="No tenant is linked with Activepieces.")


@integrations_cli.command("check")
@_tenant
@as_json
@reports_errors
def check(tenant: str | None, as_json: bool) -> None:
    """Ask Activepieces about every connection; exit code 1 if any does not work, or cannot be asked about.

    Integrations that are switched off are left out. For each connection that is newly broken, the signal
    connection_failed is sent.
    """
    state = get_state()
    integrations = [one for one in _wanted(state, tenant) if one.enabled]
    findings: list[dict[str, Any]] = []
    for integration in integrations:
        findings += _findings(state, integration)
    if as_json:
        print_json(findings)
    else:
        count = f"{len(integrations)} integration{'' if len(integrations) == 1 else 's'}"
        healthy = f"Checked {count}: all connections work."
        print_table(findings, _FINDINGS, empty=healthy)
    if findings:
        raise SystemExit(1)


@integrations_cli.command("remove")
@click.argument("integration_id")
@yes_option
@reports_errors
def remove(integration_id: str, yes: bool) -> None:
    """Remove an integration with its key and its OAuth client; connections stay in Activepieces."""
    state = get_state()
    found = [one for one in state.integrations.list_all() if one.id == integration_id]
    if not found:
        raise NotFound("integration", integration_id)
    (integration,) = found
    confirm(f"Remove the integration of tenant {integration.tenant_id} and its key?", yes=yes)
    state.integrations.remove(integration, user_id=None, now=state.now())
    click.echo(f"Removed integration {integration.id}.")


def _findings(state: State, integration: Integration) -> list[dict[str, Any]]:
    try:
        broken = state.connection_health.check(integration, now=state.now())
    except ActivepiecesError as error:  # removed meanwhile, perhaps; the next one may be well
        return [_finding(integration, str(error), None)]
    return [
        _finding(
            integration,
            f"{one.display_name} ({one.piece_name}) {_WHAT[one.status]}",
            f"reconnect at {one.reconnect_url}",
        )
        | {"connection_id": one.connection_id, "status": one.status, "is_new": one.is_new}
        for one in broken
    ]


def _finding(integration: Integration, problem: str, what_to_do: str | None) -> dict[str, Any]:
    return {
        "integration_id": integration.id,
        "tenant_id": integration.tenant_id,
        "problem": problem,
        "what_to_do": what_to_do,
    }


def _wanted(state: State, tenant_id: str | None) -> list[Integration]:
    if tenant_id is None:
        return state.integrations.list_all()
    return state.integrations.list_for_tenant(tenant_id)


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
