"""The OAuth clients that a signed-in user finds: the tenant's, without those of other organizations' integrations."""

from __future__ import annotations

from ..errors import InvalidInput, NotFound
from ..host.interface import Principal
from ..messages import Message
from ..oauth.clients.client import OAuthClient
from ..oauth.clients.registration import Registration
from ..state import State


def list_clients(state: State, principal: Principal) -> list[OAuthClient]:
    """The clients, by name."""
    clients = state.oauth_clients.list_for_tenant(principal.tenant_id)
    return _visible(state, principal, clients)


def get_client(state: State, principal: Principal, client_id: str) -> OAuthClient:
    """One client; `NotFound` for any other."""
    client = state.oauth_clients.get_for_tenant(client_id, tenant_id=principal.tenant_id)
    if not _visible(state, principal, [client]):
        raise NotFound("OAuth client", client_id)
    return client


def check_redirect_uris(client: OAuthClient, registration: Registration) -> None:
    """`InvalidInput` if an admin may not change where the client sends its users."""
    # An operator allowed the client to skip the consent page because of where it sends users. With another address,
    # an admin would receive codes of users who never saw it.
    changed = set(registration.redirect_uris) != set(client.redirect_uris)
    if client.remember_consent and changed:
        raise InvalidInput(
            {
                "redirect_uris": Message(
                    "This client may skip the consent page, so only an operator can change its redirect URIs."
                )
            }
        )


def _visible(state: State, principal: Principal, clients: list[OAuthClient]) -> list[OAuthClient]:
    # Deleting the client of an integration ends all connections of the organization.
    if all(client.integration_id is None for client in clients):
        return clients
    integrations = state.tenants.integrations.visible_to(principal)
    ids = {None, *(integration.id for integration in integrations)}
    return [client for client in clients if client.integration_id in ids]
