"""Records what was done with connections: events, the default connection, and the grants of deleted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...api_client.resources.connections import Connection
from ...storage.database import Transaction
from .. import store
from ..dependencies import Dependencies
from ..store import Integration
from .ownership import owner_user_id

#: ``reconnected``: it got another value; ``updated``: it kept its value.
Change = Literal["created", "reconnected", "updated"]
#: The length of the column for an external id.
_MAX_EXTERNAL_ID_LENGTH = 190


@dataclass(frozen=True)
class ConnectionRecorder:
    """Records each call in one short transaction."""

    deps: Dependencies

    def record_saved(
        self, integration: Integration, connection: Connection, *, change: Change, is_default: bool, user_id: str
    ) -> None:
        """A connection was saved; ``is_default`` makes it the integration's default connection."""

        def record(transaction: Transaction) -> None:
            current = store.reload(transaction.conn, integration) if is_default else None
            # Not if the integration was moved to another project meanwhile.
            if current is not None and current.project_id == integration.project_id:
                self._set_default(transaction, current, connection)
            self.deps.record(transaction, "connection.saved", integration, connection, user_id=user_id, change=change)

        self.deps.database.run_in_transaction(record)

    def record_deleted(self, integration: Integration, connection: Connection, *, user_id: str) -> None:
        """A connection was deleted: its user's grant is revoked, if it was not before."""
        self.revoke_grant(integration, connection)

        def record(transaction: Transaction) -> None:
            self._clear_default(transaction, integration, connection.id)
            self.deps.record(transaction, "connection.deleted", integration, connection, user_id=user_id)

        self.deps.database.run_in_transaction(record)

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
        detail = {
            "target_id": target.id,
            "source_deleted": {True: "yes", False: "no", None: "not known"}[source_deleted],
        }
        self.deps.database.run_in_transaction(
            lambda transaction: self.deps.record(
                transaction, "connection.replaced", integration, source, user_id=user_id, **detail
            )
        )
        if source_deleted:
            self.record_deleted(integration, source, user_id=user_id)

    def revoke_grant(self, integration: Integration, connection: Connection) -> None:
        """Revoke the grant of the user for whom the connection was made."""
        user_id = owner_user_id(connection)
        if user_id is None:
            return
        current = self.deps.database.read(lambda conn: store.reload(conn, integration))
        if current.oauth_client_id is not None:
            grants = self.deps.grants.existing_grants(
                client_id=current.oauth_client_id, tenant_ids=[integration.tenant_id], user_id=user_id
            )
            self.deps.grants.revoke(grants, reason="its connection was deleted")

    def clear_default_connection(self, integration: Integration) -> None:
        """The default connection is gone: deleted in Activepieces, or by us when the response was lost."""
        self.deps.database.run_in_transaction(
            lambda transaction: self._clear_default(transaction, integration, integration.default_connection_id)
        )

    def _clear_default(self, transaction: Transaction, integration: Integration, connection_id: str | None) -> None:
        current = store.reload(transaction.conn, integration)
        if current.default_connection_id == connection_id:
            self._set_default(transaction, current, None)

    def _set_default(self, transaction: Transaction, current: Integration, connection: Connection | None) -> None:
        external_id = connection.external_id if connection and _is_storable(connection.external_id) else None
        columns = {
            "default_connection_id": connection.id if connection else None,
            "default_connection_external_id": external_id,
        }
        store.change(transaction, current, columns, now=self.deps.now())


def _is_storable(external_id: str) -> bool:
    """Activepieces itself accepts 3,000 characters of any kind."""
    return len(external_id) <= _MAX_EXTERNAL_ID_LENGTH and external_id.isprintable()
