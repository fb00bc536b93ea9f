"""The OAuth client of an integration: made when it is first needed, and kept as the piece wants it."""

from __future__ import annotations

from dataclasses import replace

from ...config.urls import origin
from ...crypto.keyring import constant_time_equal, sha256_hex
from ...errors import IntegrationDisabled, SetupError
from ...oauth.clients import client as clients
from ...oauth.clients import redirect_uris as redirects
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.registration import Registration
from ...oauth.clients.service import NewCredentials, OAuthClients
from ...storage.database import Transaction
from .. import store as records
from ..setup.credential_store import CredentialStore
from ..store import Integration

NAME = "Activepieces"


def redirect_uri(server: str, told: str | None) -> str:
    """The redirect URI for an Activepieces at this base URL, which says of itself that it has another.

    Codes name it, and Activepieces beside them. Anybody could be asked what it is, and answers without proof: so it
    is believed only if it is of the place that was configured.
    """
    if told and not _problem_with(told) and origin(told) == origin(server):
        return told
    usual = f"{server.removesuffix('/v1').removesuffix('/api')}/redirect"
    problem = _problem_with(usual)
    if problem:
        raise SetupError(f"One click does not work with {server}: of {usual}, {problem}.")
    return usual


def _problem_with(uri: str) -> str | None:
    return redirects.problem_with(uri, public=False)


class IntegrationClients:
    """Makes the clients of integrations; their secrets are kept encrypted, for Activepieces must be told them."""

    def __init__(self, credential_store: CredentialStore, *, oauth_clients: OAuthClients) -> None:
        self._credential_store = credential_store
        self._clients = oauth_clients

    def ready(
        self,
        transaction: Transaction,
        integration: Integration,
        *,
        redirect_uri: str,
        scope: str,
        new: NewCredentials,
        now: int,
    ) -> tuple[OAuthClient, str]:
        """The integration's client with its secret, registered for this redirect URI and scope.

        ``new`` is what it is given where it has no client, or no secret that can be read.
        """
        current = records.find(transaction.conn, integration.id, tenant_id=integration.tenant_id)
        if not current.enabled:
            raise IntegrationDisabled(current.id, "an administrator switched it off")
        client = self._found(transaction, current)
        if client is None:
            return self._made(transaction, current, redirect_uri, scope, new, now)
        if (client.redirect_uris, client.scope) != ((redirect_uri,), scope):
            anew = replace(client.registration(), redirect_uris=(redirect_uri,), scope=scope)
            client = self._clients.update_in(
                transaction, client, anew, now=now, integration_id=integration.id
            )
        return client, self._secret(transaction, current, client, new.secret, now)

    def _found(self, transaction: Transaction, integration: Integration) -> OAuthClient | None:
        if integration.oauth_client_id is None:
            return None
        found = clients.find_by_id(transaction.conn, integration.oauth_client_id)
        # None when somebody has deleted it.
        return found if found is not None and found.integration_id == integration.id else None

    def _made(
        self,
        transaction: Transaction,
        integration: Integration,
        redirect_uri: str,
        scope: str,
        new: NewCredentials,
        now: int,
    ) -> tuple[OAuthClient, str]:
        wanted = Registration(
            name=NAME,
            description="Made for the connections of one workspace.",
            redirect_uris=(redirect_uri,),
            scope=scope,
            tenant_id=integration.tenant_id,
            require_pkce=True,
        )
        client, secret = self._clients.register_in(
            transaction, wanted, new, now=now, integration_id=integration.id
        )
        assert secret is not None, "a confidential client has a secret"
        self._keep(transaction, integration, client, secret, now)
        return client, secret

    def _secret(
        self,
        transaction: Transaction,
        integration: Integration,
        client: OAuthClient,
        new: str,
        now: int,
    ) -> str:
        """The secret that was kept; the new one if none of the secret keys opens that any more."""
        kept = self._credential_store.oauth_secret(transaction.conn, integration)
        good = filter(None, (client.secret_hash, client.previous_secret_hash))
        if kept is not None and any(constant_time_equal(sha256_hex(kept), known) for known in good):
            return kept
        self._clients.rotate_secret_in(
            transaction, client, new, now=now, integration_id=integration.id
        )
        self._keep(transaction, integration, client, new, now)
        return new

    def _keep(
        self,
        transaction: Transaction,
        integration: Integration,
        client: OAuthClient,
        secret: str,
        now: int,
    ) -> None:
        columns = self._credential_store.oauth_columns(integration.id, client.client_id, secret)
        records.change(transaction, integration, columns, now=now)
