"""``flask activepieces keys …``: which keys are in use, and the next one."""

from __future__ import annotations

import secrets

import click
from flask.cli import AppGroup

from ..state import get_state
from .output import as_json, print_json, print_table, reports_errors

keys_cli = AppGroup("keys", help="The keys that sign codes and tokens, and that encrypt.")


@keys_cli.command("list")
@as_json
@reports_errors
def list_keys(as_json: bool) -> None:
    """List the access-token keys by id, the signing one first; never the keys themselves."""
    keys = get_state().settings.jwt_keys
    rows = [
        {
            "kid": key.kid,
            "algorithm": key.algorithm,
            "use": "signs and verifies" if key == keys.signing else "verifies",
            "published": "no" if key.is_symmetric else "in jwks.json",
        }
        for key in keys.keys
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("kid", "algorithm", "use", "published"), empty="")


@keys_cli.command("rotate")
@reports_errors
def rotate() -> None:
    """Make the next secret key and say how to put it in front of the old ones.

    Nothing is changed: keys live in the configuration, and all workers must get them together.
    """
    settings = get_state().settings
    click.echo(secrets.token_hex(32))
    days = settings.refresh_token_ttl // 86_400
    click.echo(
        "1. Put this key BEHIND the others in ACTIVEPIECES_SECRET_KEYS and restart every worker.\n"
        "   (If that setting is empty so far, the one in front of it is SECRET_KEY.)\n"
        "2. Move it to the front and restart again: from now on it signs. A worker that does not know\n"
        "   the key yet would refuse what another signs with it, hence the two steps.\n"
        "3. Encrypt the keys of tenants anew: flask activepieces keys reencrypt\n"
        f"4. After {days} days take the old key away: what it signed and nobody used since is over.",
        err=True,
    )


@keys_cli.command("reencrypt")
@reports_errors
def reencrypt() -> None:
    """Encrypt the keys of all tenants with the newest secret key, so that older ones may go.

    Exit code 1 if any was encrypted with a key that is not in the configuration any more.
    """
    state = get_state()
    lost = [
        integration
        for integration in state.integrations.list_all()
        if not state.credential_store.reencrypt(state.database, integration, now=state.now())
    ]
    for integration in lost:
        click.echo(
            f"Error: {integration.id} of tenant {integration.tenant_id}: no key in use opens it."
            " Bring the old key back, or have the tenant set its key anew.",
            err=True,
        )
    if lost:
        raise SystemExit(1)
    click.echo("The newest key encrypts everything now.")
