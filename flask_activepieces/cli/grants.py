"""``flask activepieces grants``: what users approved, and its revocation."""

from __future__ import annotations

from dataclasses import asdict

import click
from flask.cli import AppGroup

from ..clock import as_iso
from ..errors import NotFound
from ..oauth.grants import Grant
from ..state import get_state
from .output import HostId, counted, json_option, print_rows

grants_cli = AppGroup("grants", help="Grants: what users approved for clients.")

_COLUMNS = ("id", "client_id", "tenant_id", "user_id", "scope", "created_at")


@grants_cli.command("list")
@click.option("--tenant", "tenant_id", type=HostId(), help="Only grants in this tenant.")
@click.option("--user", "user_id", type=HostId(), help="Only grants of this user.")
@click.option("--client", "client_id", help="Only grants to this client.")
@json_option
def list_grants(as_json: bool, **filters: str | None) -> None:
    """List the grants."""
    rows = [_row(grant) for grant in get_state().grants.search(**filters)]
    print_rows(rows, _COLUMNS, empty="There are no grants.", as_json=as_json)


@grants_cli.command("revoke")
@click.argument("grant_id")
def revoke(grant_id: str) -> None:
    """Revoke a grant, with its codes, refresh tokens and access tokens."""
    service = get_state().grants
    grants = service.search(id=grant_id)
    if not grants:
        raise NotFound("grant", grant_id)
    service.revoke(grants, reason="revoked by an operator")
    click.echo(f"Revoked grant {grant_id}.")


@grants_cli.command("check")
@click.option("--revoke", is_flag=True, help="Revoke these grants.")
def check(revoke: bool) -> None:
    """Find grants of users whom the app no longer has in that tenant; exit code 1 if any remain."""
    state = get_state()
    orphans = [
        grant for grant in state.grants.search() if state.host.load_principal(grant.user_id, grant.tenant_id) is None
    ]
    for grant in orphans:
        click.echo(f"{grant.id}  user {grant.user_id} is not (or no longer) in {grant.tenant_id}")
    if revoke:
        state.grants.revoke(orphans, reason="the user is gone")
        click.echo(f"Revoked {counted(len(orphans), 'grant')}.")
    elif orphans:
        raise SystemExit(1)


def _row(grant: Grant) -> dict[str, str | None]:
    return asdict(grant) | {"created_at": as_iso(grant.created_at), "updated_at": as_iso(grant.updated_at)}
