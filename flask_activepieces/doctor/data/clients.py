"""The registered OAuth clients: their redirect URIs and scopes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from ...config.settings import Settings
from ...config.urls import is_loopback
from ...integrations.client_factory import site_url
from ...oauth import scopes
from ...oauth.clients.client import OAuthClient
from ..findings import Findings, Kind
from ..subject import UsedServer

REDIRECT_URI = Kind(
    "redirect-uri",
    "error",
    "Users of this Activepieces who connect the piece see an error instead of the consent page.",
)
ON_USERS_MACHINE = Kind(
    "redirect-uri-loopback", "warning", "Any program on a user's machine can receive codes at this address."
)
SCOPES = Kind("client-scopes", "warning", "Authorization requests with these scopes are rejected with invalid_scope.")


def check_clients(settings: Settings, clients: Collection[OAuthClient], servers: Sequence[UsedServer]) -> Findings:
    """Clients of integrations are left out: one click brings them up to date."""
    is_public = settings.public_url is not None and not _is_on_this_machine(settings.public_url)
    for client in clients:
        if client.integration_id is not None:
            continue
        yield from _redirect_uris(client, servers)
        local = [uri for uri in client.redirect_uris if _is_on_this_machine(uri)]
        if is_public and local and client.is_confidential:
            yield ON_USERS_MACHINE.found(
                f"{_named(client)} is registered for {local[0]}.",
                "Remove it if it was for development. Register an installed program as a public client.",
                tenant_id=client.tenant_id,
            )
        unknown = [scope for scope in scopes.split(client.scope) if scope not in settings.scopes]
        if unknown:
            yield SCOPES.found(
                f"{_named(client)} is registered for scopes that ACTIVEPIECES_SCOPES lacks: {', '.join(unknown)}.",
                f"Add them to the setting, or run flask activepieces client update {client.client_id} --scope ….",
                tenant_id=client.tenant_id,
            )


def _redirect_uris(client: OAuthClient, servers: Sequence[UsedServer]) -> Findings:
    """One for the host of a server, but not the one that it sends."""
    for server in servers:
        if server.info is None:
            continue
        sent = server.info.redirect_url or f"{site_url(server.url)}/redirect"
        same_host = [uri for uri in client.redirect_uris if urlsplit(uri).hostname == urlsplit(sent).hostname]
        is_other_service = all(
            urlsplit(uri).port != urlsplit(sent).port and _is_on_this_machine(uri) for uri in same_host
        )
        if same_host and sent not in client.redirect_uris and not is_other_service:
            yield REDIRECT_URI.found(
                f"{_named(client)} is registered for {same_host[0]}, and the Activepieces there sends {sent}.",
                f"Run flask activepieces client update {client.client_id} --redirect-uri {sent}.",
                tenant_id=client.tenant_id,
            )


def _named(client: OAuthClient) -> str:
    return f"Client {client.client_id} ({client.name})"


def _is_on_this_machine(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
