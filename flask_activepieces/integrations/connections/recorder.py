"""Records what was done with connections: events, the default connection, and the grants of deleted ones."""

from __future__ import annotations

from dataclasses import dataclass

from ...api_client.resources.connections import Connection
from ...clock import Clock
from ...oauth.grants import Grants
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from .. import store
from ..store import Integration
from .ownership import owner_user_id

#: The length of the column for an external id.
_MAX_EXTERNAL_ID_LENGTH = 190


@dataclass(frozen=True)
class ConnectionRecorder:
    """Records each call in one short transaction."""

    database: Database
    clock: Clock
    audit: Audit
    grants: Grants

    def record_saved(
        self, integration: Integration, connection: Connection, *, is_default: bool, user_id: str
    ) -> None:
        """A connection was saved; ``is_default`` makes it the integration's default connection."""
        now = int(self.clock())
        event = connection_event("connection.saved", integration, connection, at=now, user_id=user_id)

        def record(transaction: Transaction) -> None:
            current = _current(transaction, integration) if is_default else None
            # Not if the integration was moved to another project meanwhile.
            if current is not None and current.project_id == integration.project_id:
                external_id = connection.external_id
                columns = {
                    "default_connection_id": connection.id,
                    "default_connection_external_id": external_id if _is_storable(external_id) else None,
                }
                store.change(transaction, current, columns, now=now)
            self.audit.record(transaction, event)

        self.database.run_in_transaction(record)

    def record_deleted(self, integration: Integration, connection: Connection, *, user_id: str) -> None:
        """A connection was deleted: its user's grant is revoked, if it was not before."""
        self.revoke_grant(integration, connection)
        now = int(self.clock())
        event = connection_event("connection.deleted", integration, connection, at=now, user_id=user_id)

        def record(transaction: Transaction) -> None:
            _clear_default(transaction, integration, connection.id, now)
            self.audit.record(transaction, event)

        self.database.run_in_transaction(record)

    def record_replaced(
        self,
        integration: Integration,
        source: Connection,
        target: Connection,
        *,
        source_deleted: bool | None,
        user_id: str,
    ) -> None:
        """Flows use another connection; the first may be gone."""
        event = connection_event(
            "connection.replaced",
            integration,
            source,
            at=int(self.clock()),
            user_id=user_id,
            target_id=target.id,
            source_deleted={True: "yes", False: "no", None: "not known"}[source_deleted],
        )
        self.database.run_in_transaction(lambda transaction: self.audit.record(transaction, event))
        if source_deleted:
            self.record_deleted(integration, source, user_id=user_id)

    def revoke_grant(self, integration: Integration, connection: Connection) -> None:
        """Revoke the grant of the user for whom the connection was made."""
        user_id = owner_user_id(connection)
        if user_id is None:
            return
        current = self.database.read(lambda conn: store.get(conn, integration.id, tenant_id=integration.tenant_id))
        if current.oauth_client_id is not None:
            grants = self.grants.existing_grants(
                client_id=current.oauth_client_id, tenant_ids=[integration.tenant_id], user_id=user_id
            )
            self.grants.revoke(grants, reason="its connection was deleted")

    def clear_default_connection(self, integration: Integration) -> None:
        """The default connection is gone: deleted in Activepieces, or by us when the response was lost."""
        now = int(self.clock())
        self.database.run_in_transaction(
            lambda transaction: _clear_default(transaction, integration, integration.default_connection_id, now)
        )


def _clear_default(transaction: Transaction, integration: Integration, connection_id: str | None, now: int) -> None:
    current = _current(transaction, integration)
    if current.default_connection_id == connection_id:
        cleared = {"default_connection_id": None, "default_connection_external_id": None}
        store.change(transaction, current, cleared, now=now)


def _current(transaction: Transaction, integration: Integration) -> Integration:
    return store.get(transaction.conn, integration.id, tenant_id=integration.tenant_id)


def _is_storable(external_id: str) -> bool:
    """Activepieces itself accepts 3,000 characters of any kind."""
    return len(external_id) <= _MAX_EXTERNAL_ID_LENGTH and external_id.isprintable()


def connection_event(
    name: str, integration: Integration, connection: Connection, *, at: int, user_id: str | None, **detail: str
) -> Event:
    """An event about a connection."""
    about = {
        "integration_id": integration.id,
        "connection_id": connection.id,
        "display_name": connection.display_name,
        "piece_name": connection.piece_name,
    }
    return Event(name=name, at=at, tenant_id=integration.tenant_id, user_id=user_id, detail=about | detail)
