"""``flask activepieces grants …``: what users allow, and taking it back for them."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ..clock import as_iso
from ..errors import NotFound
from ..oauth.grants import Grant
from ..state import get_state
from .output import HOST_ID, as_json, print_json, print_table, reports_errors

grants_cli = AppGroup("grants", help="Grants: what users allow clients.")

_COLUMNS = ("id", "client_id", "tenant_id", "user_id", "scope", "created_at")


@grants_cli.command("list")
@click.option("--tenant", type=HOST_ID, help="Only in this tenant.")
@click.option("--user", type=HOST_ID, help="Only of this user.")
@click.option("--client", help="Only to this client.")
@as_json
@reports_errors
def list_grants(tenant: str | None, user: str | None, client: str | None, as_json: bool) -> None:
    """List the grants that stand."""
    grants = get_state().grants.search(tenant_id=tenant, user_id=user, client_id=client)
    rows = [_row(grant) for grant in grants]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, _COLUMNS, empty="There are no grants.")


@grants_cli.command("revoke")
@click.argument("grant_id")
@reports_errors
def revoke(grant_id: str) -> None:
    """Take a grant back: its codes, refresh tokens and access tokens end at once."""
    state = get_state()
    grants = state.grants.search(id=grant_id)
    if not grants:
        raise NotFound("grant", grant_id)
    state.grants.revoke(grants, reason="revoked by an operator")
    click.echo(f"Revoked grant {grant_id}.")


@grants_cli.command("check")
@click.option("--revoke", is_flag=True, help="Take the grants found back.")
@reports_errors
def check(revoke: bool) -> None:
    """Find grants whose user the app no longer knows in that tenant; exit code 1 if any are left."""
    state = get_state()
    orphans = [
        grant
        for grant in state.grants.search()
        if state.host.load_principal(grant.user_id, grant.tenant_id) is None
    ]
    for grant in orphans:
        click.echo(f"{grant.id}  user {grant.user_id} is not (or no longer) in {grant.tenant_id}")
    if revoke:
        state.grants.revoke(orphans, reason="the user is gone")
        click.echo(f"Revoked {len(orphans)} grants.")
    elif orphans:
        raise SystemExit(1)


def _row(grant: Grant) -> dict[str, str | None]:
    return {
        "id": grant.id,
        "client_id": grant.client_id,
        "tenant_id": grant.tenant_id,
        "user_id": grant.user_id,
        "organization_id": grant.organization_id,
        "workspace_name": grant.workspace_name,
        "scope": grant.scope,
        "created_at": as_iso(grant.created_at),
        "updated_at": as_iso(grant.updated_at),
    }
