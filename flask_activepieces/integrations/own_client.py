"""The OAuth client of an integration: made when it is first needed, and kept as the piece wants it."""

from __future__ import annotations

from dataclasses import replace

from ..database import Database, Transaction
from ..oauth import clients
from ..oauth.clients import OAuthClient, OAuthClients
from ..oauth.registration import Registration
from ..signing import fingerprint, same
from . import records
from .records import Integration
from .strongbox import Strongbox

NAME = "Activepieces"


class OwnClients:
    """Makes the clients of integrations; their secrets are kept encrypted, for Activepieces must be told them."""

    def __init__(
        self, database: Database, strongbox: Strongbox, *, oauth_clients: OAuthClients
    ) -> None:
        self._database = database
        self._strongbox = strongbox
        self._clients = oauth_clients

    def ready(
        self, integration: Integration, *, redirect_uri: str, scope: str, now: int
    ) -> tuple[OAuthClient, str]:
        """The integration's client with its secret, registered for this redirect URI and scope."""
        wanted = Registration(
            name=NAME,
            description="Made for the connections of one workspace.",
            redirect_uris=(redirect_uri,),
            scope=scope,
            tenant_id=integration.tenant_id,
            require_pkce=True,
        )

        def make_ready(transaction: Transaction) -> tuple[OAuthClient, str]:
            current = records.find(
                transaction.connection, integration.id, tenant_id=integration.tenant_id
            )
            client = self._found(transaction, current)
            if client is None:
                return self._made(transaction, current, wanted, now)
            if (client.redirect_uris, client.scope) != ((redirect_uri,), scope):
                anew = replace(client.registration(), redirect_uris=(redirect_uri,), scope=scope)
                client = self._clients.change(transaction, client, anew, now=now)
            return client, self._secret(transaction, current, client, now)

        return self._database.transact(make_ready)

    def _found(self, transaction: Transaction, integration: Integration) -> OAuthClient | None:
        if integration.oauth_client_id is None:
            return None
        return clients.find_any(transaction.connection, integration.oauth_client_id)

    def _made(
        self, transaction: Transaction, integration: Integration, wanted: Registration, now: int
    ) -> tuple[OAuthClient, str]:
        client, secret = self._clients.register(transaction, wanted, now=now)
        assert secret is not None, "a confidential client has a secret"
        self._keep(transaction, integration, client, secret, now)
        return client, secret

    def _secret(
        self, transaction: Transaction, integration: Integration, client: OAuthClient, now: int
    ) -> str:
        """The secret that was kept; a new one if an administrator has rotated it away."""
        kept = self._strongbox.oauth_secret(transaction.connection, integration)
        good = filter(None, (client.secret_hash, client.previous_secret_hash))
        if kept is not None and any(same(fingerprint(kept), known) for known in good):
            return kept
        secret = self._clients.rotate_secret(transaction, client, now=now)
        self._keep(transaction, integration, client, secret, now)
        return secret

    def _keep(
        self,
        transaction: Transaction,
        integration: Integration,
        client: OAuthClient,
        secret: str,
        now: int,
    ) -> None:
        columns = self._strongbox.oauth_columns(integration.id, client.client_id, secret)
        records.change(transaction, integration, columns, now=now)
