"""What the services for the tenants of one app share."""

from __future__ import annotations

from dataclasses import dataclass

from ..api_client.resources.connections import Connection
from ..clock import Clock
from ..config.settings import Settings
from ..host.interface import Host
from ..oauth.clients.service import OAuthClients
from ..oauth.grants import Grants
from ..storage.audit import Audit, Event
from ..storage.database import Database, Transaction
from .client_factory import ClientFactory
from .credentials import CredentialStore
from .store import Integration


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What the services of one app share, and how they record events."""

    settings: Settings
    database: Database
    host: Host
    clock: Clock
    audit: Audit
    oauth_clients: OAuthClients
    grants: Grants
    credential_store: CredentialStore
    client_factory: ClientFactory

    def now(self) -> int:
        """The current time in whole seconds."""
        return int(self.clock())

    def record(
        self,
        transaction: Transaction,
        name: str,
        integration: Integration,
        connection: Connection | None = None,
        *,
        user_id: str | None,
        **detail: str,
    ) -> None:
        """Record an event about the integration, or about one of its connections."""
        about = {"integration_id": integration.id}
        if connection is not None:
            about["connection_id"] = connection.id
            about["display_name"] = connection.display_name
            about["piece_name"] = connection.piece_name
        else:
            about["project_id"] = integration.project_id
            if integration.organization_id is not None:
                about["organization_id"] = integration.organization_id
        event = Event(
            name=name, at=self.now(), tenant_id=integration.tenant_id, user_id=user_id, detail=about | detail
        )
        self.audit.record(transaction, event)
