"""Removing a tenant: nothing is left that a later tenant with the same id could use."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import NotFound
from ..host.ids import checked_id
from ..oauth.clients import client as clients
from ..storage.database import ConcurrentUpdate, Transaction
from ..storage.maintenance import delete_tenant_events
from . import store
from .dependencies import Dependencies
from .embedding.provisioning import Provisioning
from .service import Integrations


@dataclass(frozen=True, kw_only=True)
class RemovedTenant:
    """How many grants, clients and integrations of a tenant were removed."""

    grants: int
    clients: int
    integrations: int


@dataclass(frozen=True)
class TenantRemoval:
    """Removes tenants, each in one transaction."""

    deps: Dependencies
    integrations: Integrations
    provisioning: Provisioning

    def remove(self, tenant_id: str) -> RemovedTenant:
        """Revoke the tenant's grants, and delete its OAuth clients, integrations, personal tokens and events.

        A second call removes nothing, and is not an error.
        """
        checked_id("tenant_id", tenant_id)

        def remove(transaction: Transaction) -> RemovedTenant:
            delete_tenant_events(transaction, tenant_id, now=self.deps.now())
            # Also users of integrations that are gone.
            self.provisioning.end_tenant_in(transaction, tenant_id)
            revoked = self.deps.grants.revoke_tenant_in(transaction, tenant_id, reason="the tenant was removed")
            integrations = store.list_for_tenant(transaction.conn, tenant_id)
            registered = clients.list_for_tenant(transaction.conn, tenant_id)
            try:
                for integration in integrations:
                    self.integrations.remove_in(transaction, integration, user_id=None)
                # The clients of integrations are deleted by now.
                for client in clients.list_for_tenant(transaction.conn, tenant_id):
                    self.deps.oauth_clients.delete_in(transaction, client)
            except NotFound as error:
                raise ConcurrentUpdate from error  # another transaction deletes the same: try again
            return RemovedTenant(grants=revoked, clients=len(registered), integrations=len(integrations))

        return self.deps.database.run_in_transaction(remove)
