"""Removing a tenant: after the commit nothing is left that whoever gets its id next could use."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import NotFound
from ..host.ids import checked_id
from ..oauth.clients import client as clients
from ..oauth.clients.service import OAuthClients
from ..oauth.grants import Grants
from ..storage.database import ConcurrentUpdate, Database, Transaction
from . import store as records
from .service import Integrations


@dataclass(frozen=True, kw_only=True)
class RemovedTenant:
    """How much of a tenant there was to remove."""

    grants: int
    clients: int
    integrations: int


class TenantRemoval:
    """Removes tenants, each in one transaction."""

    def __init__(
        self,
        database: Database,
        integrations: Integrations,
        *,
        oauth_clients: OAuthClients,
        grants: Grants,
    ) -> None:
        self._database = database
        self._integrations = integrations
        self._clients = oauth_clients
        self._grants = grants

    def remove(self, tenant_id: str, *, now: int) -> RemovedTenant:
        """Revoke what was granted in the tenant, and delete its OAuth clients and integrations with their keys.

        A second call finds nothing, and is no error.
        """
        tenant = checked_id("tenant_id", tenant_id)

        def remove(transaction: Transaction) -> RemovedTenant:
            revoked = self._grants.revoke_tenant_in(
                transaction, tenant, reason="the tenant was removed", now=now
            )
            integrations = records.list_for_tenant(transaction.conn, tenant)
            registered = clients.list_for_tenant(transaction.conn, tenant)
            try:
                for integration in integrations:
                    self._integrations.remove_in(transaction, integration, user_id=None, now=now)
                # Those that were made for an integration went with it.
                for client in clients.list_for_tenant(transaction.conn, tenant):
                    self._clients.delete_in(transaction, client, now=now)
            except NotFound as error:
                raise ConcurrentUpdate from error  # somebody else deletes the same: look again
            return RemovedTenant(
                grants=revoked, clients=len(registered), integrations=len(integrations)
            )

        return self._database.run_in_transaction(remove)
