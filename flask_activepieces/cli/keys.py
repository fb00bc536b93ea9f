"""``flask activepieces keys``: the keys in use, the next one, and re-encryption."""

from __future__ import annotations

import secrets

import click
from flask.cli import AppGroup

from ..state import get_state
from .output import json_option, print_rows

keys_cli = AppGroup("keys", help="The keys that sign codes and tokens, and encrypt credentials.")


@keys_cli.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the ids of the access-token keys, the signing key first; never the keys themselves."""
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
    print_rows(rows, ("kid", "algorithm", "use", "published"), empty="", as_json=as_json)


@keys_cli.command("rotate")
def rotate() -> None:
    """Generate a secret key, and explain how to introduce it.

    Changes nothing: keys belong to the configuration, and all workers must have the same ones.
    """
    click.echo(secrets.token_hex(32))
    days = get_state().settings.refresh_token_ttl // 86_400
    click.echo(
        "1. Add this key at the END of ACTIVEPIECES_SECRET_KEYS and restart every worker.\n"
        "   (If the setting is still empty, put SECRET_KEY in front of it.)\n"
        "2. Move it to the front and restart again: now it signs. In one step, a worker without the\n"
        "   new key would reject what another signs with it.\n"
        "3. Encrypt the credentials of tenants with it: flask activepieces keys reencrypt\n"
        f"4. After {days} days remove the old key: everything that it signed has expired.",
        err=True,
    )


@keys_cli.command("reencrypt")
def reencrypt() -> None:
    """Encrypt the credentials of all tenants with the newest secret key, so that older keys can be removed.

    Exit code 1 if any was encrypted with a key that is no longer configured.
    """
    state = get_state()
    lost = [
        integration
        for integration in state.tenants.integrations.list_all()
        if not state.tenants.integrations.reencrypt(integration)
    ]
    for integration in lost:
        click.echo(
            f"Error: {integration.id} of tenant {integration.tenant_id} cannot be decrypted with the configured keys."
            " Restore the old key, or have the tenant enter its key again.",
            err=True,
        )
    if lost:
        raise SystemExit(1)
    click.echo("All credentials are encrypted with the newest key.")
