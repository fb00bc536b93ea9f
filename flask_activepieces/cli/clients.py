"""``flask activepieces client …``: register, show, change and delete OAuth clients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
from flask.cli import AppGroup

from ..errors import InvalidInput, NotFound
from ..oauth.clients.client import OAuthClient
from ..oauth.clients.json_form import shown
from ..oauth.clients.presets import PRESETS
from ..oauth.clients.registration import Registration
from ..state import State, get_state
from ..storage.tenants import has_tenant
from .confirmation import confirm, yes_option
from .output import HOST_ID, as_json, print_json, print_record, print_table, reports_errors

client_cli = AppGroup("client", help="OAuth clients: the programs that may ask for access.")

_COLUMNS = ("client_id", "name", "tenant_id", "scope", "redirect_uris")

_redirect_uris = click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    help="Exactly as the client sends it; repeatable.",
)
_scopes = click.option(
    "--scope",
    "scopes",
    multiple=True,
    help='What it may ask for; repeatable, or with spaces between: "tasks:read tasks:write".',
)


@client_cli.command("create")
@click.option("--name", help="What people read on the consent page.")
@_redirect_uris
@_scopes
@click.option("--description", default="", help="One sentence for the consent page.")
@click.option(
    "--tenant",
    "tenant_id",
    type=HOST_ID,
    help="The only tenant that it is for; all tenants without it.",
)
@click.option(
    "--public", is_flag=True, help="It cannot keep a secret: an installed or in-browser app."
)
@click.option(
    "--pkce/--no-pkce",
    "pkce",
    default=None,
    help="Require PKCE (the default, unless a preset says not).",
)
@click.option(
    "--remember-consent",
    is_flag=True,
    help="Do not show the consent page again for what a user has allowed; impossible for Activepieces.",
)
@click.option(
    "--client-credentials", is_flag=True, help="It may also act for itself, in its tenant."
)
@click.option(
    "--introspects", is_flag=True, help="It is a resource server that checks others' tokens."
)
@click.option(
    "--preset", type=click.Choice(sorted(PRESETS)), help="A platform whose addresses are known."
)
@click.option(
    "--server", help="With --preset: the platform's server of your own, https://ap.example.com."
)
@yes_option
@as_json
@reports_errors
def create(
    as_json: bool,
    yes: bool,
    pkce: bool | None,
    preset: str | None,
    server: str | None,
    scopes: tuple[str, ...],
    **options: Any,
) -> None:
    """Register a client and print its secret, once. Asks if nothing is known of the tenant."""
    state = get_state()
    registration = _registration(pkce, preset, server, options | {"scope": " ".join(scopes)})
    tenant_id = registration.tenant_id
    if tenant_id is not None and not has_tenant(state.database, tenant_id):
        question = f"Tenant {tenant_id!r} has no client, grant or integration yet. Register a client for it?"
        confirm(question, yes=yes, as_json=as_json)
    client, secret = state.oauth_clients.register(registration)
    if as_json:
        print_json(shown(client, secret))
        return
    click.echo(f"Registered {client.name}.")
    _print_secret(client, secret)


@client_cli.command("list")
@click.option("--tenant", "tenant_id", type=HOST_ID, help="Only this tenant's clients.")
@as_json
@reports_errors
def list_clients(tenant_id: str | None, as_json: bool) -> None:
    """List the registered clients, without secrets."""
    service = get_state().oauth_clients
    clients = service.list_all() if tenant_id is None else service.list_for_tenant(tenant_id)
    rows = [shown(client) for client in clients]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, _COLUMNS, empty="No client is registered.")


@client_cli.command("show")
@click.argument("client_id")
@as_json
@reports_errors
def show(client_id: str, as_json: bool) -> None:
    """Print one client, without its secret."""
    client = shown(_find(get_state(), client_id))
    if as_json:
        print_json(client)
    else:
        print_record(client)


@client_cli.command("update")
@click.argument("client_id")
@click.option("--name", help="What people read on the consent page.")
@_redirect_uris
@_scopes
@click.option("--description", help="One sentence for the consent page.")
@click.option("--pkce/--no-pkce", "require_pkce", default=None, help="Require PKCE.")
@click.option(
    "--remember-consent/--no-remember-consent",
    default=None,
    help="Do not show the consent page again for what a user has allowed; impossible for Activepieces.",
)
@click.option(
    "--client-credentials/--no-client-credentials",
    default=None,
    help="It may also act for itself, in its tenant.",
)
@click.option(
    "--introspects/--no-introspects",
    default=None,
    help="It is a resource server that checks others' tokens.",
)
@as_json
@reports_errors
def update(
    client_id: str,
    as_json: bool,
    redirect_uris: tuple[str, ...],
    scopes: tuple[str, ...],
    **options: Any,
) -> None:
    """Change a client. Redirect URIs and scopes that are given replace all that it has."""
    changes = {name: value for name, value in options.items() if value is not None}
    if redirect_uris:
        changes["redirect_uris"] = redirect_uris
    if scopes:
        changes["scope"] = " ".join(scopes)
    if not changes:
        raise click.UsageError("Nothing to change: give at least one option.")
    state = get_state()
    client = _find(state, client_id)
    registration = replace(client.registration(), **changes)
    changed = state.oauth_clients.update(client, registration)
    if as_json:
        print_json(shown(changed))
    else:
        click.echo(f"Updated {changed.name}.")


@client_cli.command("rotate")
@click.argument("client_id")
@click.option("--now", "at_once", is_flag=True, help="The old secret stops working at once.")
@as_json
@reports_errors
def rotate(client_id: str, at_once: bool, as_json: bool) -> None:
    """Give a client a new secret; the old one works until the next rotation."""
    state = get_state()
    client = _find(state, client_id)
    secret = state.oauth_clients.rotate_secret(client, keep_old=not at_once)
    if as_json:
        print_json(shown(client, secret))
        return
    _print_secret(client, secret)
    click.echo(
        "The old secret has stopped working." if at_once else "The old secret works on for now."
    )


@client_cli.command("disable")
@click.argument("client_id")
@reports_errors
def disable(client_id: str) -> None:
    """Suspend a client: it gets no tokens until it is enabled, and keeps its grants."""
    client = _set_enabled(client_id, False)
    click.echo(f"Suspended {client.name}. Access tokens that it has work until they expire.")


@client_cli.command("enable")
@click.argument("client_id")
@reports_errors
def enable(client_id: str) -> None:
    """Let a suspended client get tokens again."""
    client = _set_enabled(client_id, True)
    click.echo(f"{client.name} gets tokens again.")


def _set_enabled(client_id: str, enabled: bool) -> OAuthClient:
    state = get_state()
    client = _find(state, client_id)
    state.oauth_clients.set_enabled(client, enabled)
    return client


@client_cli.command("delete")
@click.argument("client_id")
@yes_option
@reports_errors
def delete(client_id: str, yes: bool) -> None:
    """Delete a client with every grant and token that it has."""
    state = get_state()
    client = _find(state, client_id)
    confirm(f"Delete {client.name} and everything that it has access to?", yes=yes)
    state.oauth_clients.delete(client)
    click.echo(f"Deleted {client.name}.")


def _registration(
    pkce: bool | None, preset_name: str | None, server: str | None, options: dict[str, Any]
) -> Registration:
    preset = PRESETS.get(preset_name or "")
    if server is not None and preset is None:
        raise InvalidInput({"server": "it goes with --preset, which knows the platform's path"})
    if preset is not None:
        options["name"] = options["name"] or preset.title
        options["redirect_uris"] = (*preset.redirect_uris_for(server), *options["redirect_uris"])
    if pkce is None:
        pkce = preset is None or options["public"] or preset.require_pkce
    if not options["name"]:
        raise InvalidInput(
            {"name": "a client needs a name: it is what people read on the consent page"}
        )
    return Registration(require_pkce=pkce, **options)


def _find(state: State, client_id: str) -> OAuthClient:
    client = state.oauth_clients.find_by_id(client_id)
    if client is None:
        raise NotFound("OAuth client", client_id)
    return client


def _print_secret(client: OAuthClient, secret: str | None) -> None:
    click.echo(f"client_id      {client.client_id}")
    if secret is None:
        click.echo("It is a public client: it has no secret, and must use PKCE.")
    else:
        click.echo(f"client_secret  {secret}")
        click.echo("Copy the secret now: it is stored as a hash, and nobody can show it again.")
