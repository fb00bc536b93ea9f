"""``flask activepieces tokens``: create, list and revoke personal access tokens of users."""

from __future__ import annotations

from dataclasses import asdict

import click
from flask.cli import AppGroup

from ..clock import as_iso
from ..errors import InvalidInput, NotFound
from ..host.interface import Host, Workspace
from ..oauth.personal_tokens import PersonalToken
from ..state import get_state
from .output import HostId, json_option, print_result, print_rows, printable

tokens_cli = AppGroup("tokens", help="Create, list and revoke personal access tokens of users.")

_COLUMNS = ("id", "kind", "name", "tenant_id", "user_id", "scope", "last_used_at", "expires_at")


_DAY = 86_400


@tokens_cli.command("create")
@click.option("--user", "user_id", type=HostId(), required=True, help="The user of the token.")
@click.option("--tenant", "tenant_id", type=HostId(), required=True, help="The tenant that the token is for.")
@click.option("--organization", "organization_id", type=HostId(), help="The organization in that tenant.")
@click.option("--name", required=True, help="The program that will use the token.")
@click.option("--scope", "scopes", multiple=True, help="A scope of the token. Repeatable, or separated by spaces.")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="The number of days until the token expires.",
)
@json_option
def create(
    user_id: str,
    tenant_id: str,
    organization_id: str | None,
    name: str,
    scopes: tuple[str, ...],
    days: int,
    as_json: bool,
) -> None:
    """Create a token for a user, and print it. It cannot be shown again."""
    state = get_state()
    workspace = _workspace(state.host, user_id, tenant_id, organization_id)
    token, text = state.personal_tokens.create(
        user_id, workspace, name=name, scopes=" ".join(scopes).split(), expires_at=state.now() + days * _DAY
    )
    print_result(
        _row(token) | {"token": text},
        f"Created token {token.id} for user {printable(user_id)} in {printable(workspace.name)}.",
        "Copy the token now; it is not shown again:",
        text,
        as_json=as_json,
    )


@tokens_cli.command("list")
@click.option("--tenant", "tenant_id", type=HostId(), help="Only tokens for this tenant.")
@click.option("--user", "user_id", type=HostId(), help="Only tokens of this user.")
@json_option
def list_tokens(as_json: bool, **filters: str | None) -> None:
    """List tokens and sign-ins. Does not print the tokens themselves."""
    rows = [_row(token) for token in get_state().personal_tokens.search(**filters)]
    print_rows(rows, _COLUMNS, empty="There are no tokens.", as_json=as_json)


@tokens_cli.command("revoke")
@click.argument("token_id")
@json_option
def revoke(token_id: str, as_json: bool) -> None:
    """Revoke a token."""
    service = get_state().personal_tokens
    found = service.search(id=token_id)
    if not found:
        raise NotFound("personal access token", token_id)
    (token,) = found
    service.revoke(token.id, user_id=token.user_id, tenant_ids=[token.tenant_id])
    print_result(_row(token), f"Revoked token {token.id}.", as_json=as_json)


def _workspace(host: Host, user_id: str, tenant_id: str, organization_id: str | None) -> Workspace:
    """The workspace that the user shares with the token."""
    principal = host.load_principal(user_id, tenant_id)
    if principal is None:
        raise InvalidInput({"user": "The app has no such user in this tenant."})
    offered = {(each.tenant_id, each.organization_id): each for each in host.workspaces(principal)}
    if (tenant_id, organization_id) not in offered:
        raise InvalidInput({"organization": "The user has no such workspace in this tenant."})
    return offered[tenant_id, organization_id]


def _row(token: PersonalToken) -> dict[str, str | None]:
    times = {name: getattr(token, name) for name in ("created_at", "expires_at", "last_used_at")}
    return asdict(token) | {name: None if time is None else as_iso(time) for name, time in times.items()}
