"""``flask activepieces client``: register, show, change and delete OAuth clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click
from flask.cli import AppGroup

from ..errors import InvalidInput, NotFound
from ..oauth.clients.client import OAuthClient, client_to_json
from ..oauth.clients.registration import PRESETS, Registration
from ..state import get_state
from ..storage.maintenance import has_tenant
from .output import HostId, confirm, json_option, print_record, print_result, print_rows, yes_option

client_cli = AppGroup("client", help="OAuth clients: the programs that may request access.")

_COLUMNS = ("client_id", "name", "tenant_id", "scope", "redirect_uris")


def _flag(name: str, field: str, description: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(f"--{name}/--no-{name}", field, default=None, help=description)


_REGISTRATION_OPTIONS = (
    click.option("--name", help="Shown on the consent page."),
    click.option("--description", help="One sentence for the consent page."),
    click.option("--logo", "logo_uri", help="The https URL of its logo, for the consent page."),
    click.option(
        "--redirect-uri", "redirect_uris", multiple=True, help="Exactly as the client sends it; repeatable."
    ),
    click.option(
        "--scope",
        "scopes",
        multiple=True,
        help='What it may request; repeatable, or separated by spaces: "tasks:read tasks:write".',
    ),
    _flag("pkce", "require_pkce", "Require PKCE."),
    _flag(
        "remember-consent",
        "remember_consent",
        "Skip the consent page for what a user has already approved; not for Activepieces.",
    ),
    _flag("client-credentials", "client_credentials", "Allow the client-credentials grant, within its tenant."),
    _flag("introspection", "can_introspect", "Allow token introspection, for a resource server."),
)


def _registration_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of `create` and `update`; their values arrive as the fields of a `Registration`."""

    def wrapper(redirect_uris: tuple[str, ...], scopes: tuple[str, ...], **options: Any) -> None:
        options |= {"redirect_uris": redirect_uris or None, "scope": " ".join(scopes) or None}
        command(**{name: value for name, value in options.items() if value is not None})

    wrapper.__doc__ = command.__doc__
    for option in reversed(_REGISTRATION_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


@client_cli.command("create")
@click.option("--tenant", "tenant_id", type=HostId(), help="Its tenant; without it, all tenants.")
@click.option("--public", is_flag=True, help="It cannot keep a secret: an installed or in-browser app.")
@click.option("--preset", type=click.Choice(sorted(PRESETS)), help="A known platform.")
@click.option("--server", help="With --preset: the self-hosted server, https://ap.example.com.")
@yes_option
@json_option
@_registration_options
def create(
    as_json: bool, yes: bool, preset: str | None = None, server: str | None = None, **registration: Any
) -> None:
    """Register a client and print its secret, once. PKCE is required unless a preset says otherwise.

    Asks before it registers a client for a tenant that has no data yet.
    """
    state = get_state()
    if preset is not None:
        registration = _with_preset(registration, preset, server)
    elif server is not None:
        raise InvalidInput({"server": "Requires --preset, which knows the path on the server."})
    tenant_id = registration.get("tenant_id")
    if tenant_id is not None and not has_tenant(state.database, tenant_id):
        question = f"Tenant {tenant_id!r} has no client, grant or integration yet. Register a client for it?"
        confirm(question, yes=yes, as_json=as_json)
    client, secret = state.oauth_clients.register(Registration(**{"name": "", **registration}))
    lines = (f"Registered {client.name}.", *_secret_lines(client, secret))
    print_result(_printed(client, secret), *lines, as_json=as_json)


@client_cli.command("list")
@click.option("--tenant", "tenant_id", type=HostId(), help="Only clients of this tenant.")
@json_option
def list_clients(tenant_id: str | None, as_json: bool) -> None:
    """List the registered clients, without secrets."""
    service = get_state().oauth_clients
    clients = service.list_all() if tenant_id is None else service.list_for_tenant(tenant_id)
    rows = [_printed(client) for client in clients]
    print_rows(rows, _COLUMNS, empty="No client is registered.", as_json=as_json)


@client_cli.command("show")
@click.argument("client_id")
@json_option
def show(client_id: str, as_json: bool) -> None:
    """Print one client, without its secret."""
    print_record(_printed(_find(client_id)), as_json=as_json)


@client_cli.command("update")
@click.argument("client_id")
@json_option
@_registration_options
def update(client_id: str, as_json: bool, **changes: Any) -> None:
    """Change a client. New redirect URIs and scopes replace all existing ones."""
    if not changes:
        raise click.UsageError("Nothing to change: pass at least one option.")
    client = _find(client_id)
    updated = get_state().oauth_clients.update(client, replace(client.registration(), **changes))
    print_result(_printed(updated), f"Updated {updated.name}.", as_json=as_json)


@client_cli.command("rotate")
@click.argument("client_id")
@click.option("--now", "immediately", is_flag=True, help="Invalidate the old secret immediately.")
@json_option
def rotate(client_id: str, immediately: bool, as_json: bool) -> None:
    """Create a new secret; the old one keeps working until the next rotation."""
    client = _find(client_id)
    secret = get_state().oauth_clients.rotate_secret(client, keep_old=not immediately)
    old = "no longer works" if immediately else "keeps working until the next rotation"
    lines = (*_secret_lines(client, secret), f"The old secret {old}.")
    print_result(_printed(client, secret), *lines, as_json=as_json)


@client_cli.command("disable")
@click.argument("client_id")
def disable(client_id: str) -> None:
    """Suspend a client. It keeps its grants, but gets no tokens until it is enabled."""
    client = _find(client_id)
    get_state().oauth_clients.set_enabled(client, False)
    click.echo(f"Suspended {client.name}. Its access tokens work until they expire.")


@client_cli.command("enable")
@click.argument("client_id")
def enable(client_id: str) -> None:
    """Let a suspended client get tokens again."""
    client = _find(client_id)
    get_state().oauth_clients.set_enabled(client, True)
    click.echo(f"{client.name} can get tokens again.")


@client_cli.command("delete")
@click.argument("client_id")
@yes_option
def delete(client_id: str, yes: bool) -> None:
    """Delete a client, and revoke its grants and tokens."""
    client = _find(client_id)
    confirm(f"Delete {client.name} and revoke all access that it has?", yes=yes)
    get_state().oauth_clients.delete(client)
    click.echo(f"Deleted {client.name}.")


def _with_preset(registration: dict[str, Any], preset_name: str, server: str | None) -> dict[str, Any]:
    preset = PRESETS[preset_name]
    uris = preset.redirect_uris_for(server)
    defaults = {"name": preset.title, "require_pkce": registration["public"] or preset.require_pkce}
    return {**defaults, **registration, "redirect_uris": (*uris, *registration.get("redirect_uris", ()))}


def _find(client_id: str) -> OAuthClient:
    client = get_state().oauth_clients.find_by_id(client_id)
    if client is None:
        raise NotFound("OAuth client", client_id)
    return client


def _printed(client: OAuthClient, secret: str | None = None) -> dict[str, Any]:
    # Scripts rely on the name `introspects`, which is can_introspect in the JSON API.
    fields = client_to_json(client, secret)
    return {"introspects" if name == "can_introspect" else name: fields[name] for name in fields}


def _secret_lines(client: OAuthClient, secret: str | None) -> list[str]:
    lines = [f"client_id      {client.client_id}"]
    if secret is None:
        return [*lines, "This is a public client: it has no secret, and must use PKCE."]
    return [*lines, f"client_secret  {secret}", "Copy the secret now. You won't be able to see it again."]
