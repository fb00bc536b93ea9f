"""``flask activepieces tokens``: personal access tokens of users, and their revocation."""

from __future__ import annotations

from dataclasses import asdict

import click
from flask.cli import AppGroup

from ..clock import as_iso
from ..errors import NotFound
from ..oauth.personal_tokens import PersonalToken
from ..state import get_state
from .output import HostId, json_option, print_result, print_rows

tokens_cli = AppGroup("tokens", help="Personal access tokens of users.")

_COLUMNS = ("id", "kind", "name", "tenant_id", "user_id", "scope", "last_used_at", "expires_at")


@tokens_cli.command("list")
@click.option("--tenant", "tenant_id", type=HostId(), help="Only tokens for this tenant.")
@click.option("--user", "user_id", type=HostId(), help="Only tokens of this user.")
@json_option
def list_tokens(as_json: bool, **filters: str | None) -> None:
    """List the tokens, without their text."""
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


def _row(token: PersonalToken) -> dict[str, str | None]:
    times = {name: getattr(token, name) for name in ("created_at", "expires_at", "last_used_at")}
    return asdict(token) | {name: None if time is None else as_iso(time) for name, time in times.items()}
