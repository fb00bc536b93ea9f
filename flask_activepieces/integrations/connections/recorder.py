"""What is noted here about connections, which are in Activepieces: events, and which is the integration's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...oauth.grants import Grants, existing_grants
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from .. import store as records
from ..store import Integration
from .ownership import user_of

if TYPE_CHECKING:
    from ...api_client.resources.connections import Connection

#: So much the column for an external id takes.
_LONGEST_KEPT = 190


class ConnectionRecorder:
    """Writes it down, each time in one short transaction after the call of Activepieces."""

    def __init__(self, database: Database, *, audit: Audit, grants: Grants) -> None:
        self._database = database
        self._audit = audit
        self._grants = grants

    def saved(
        self,
        integration: Integration,
        connection: Connection,
        *,
        is_own: bool,
        user_id: str,
        now: int,
    ) -> None:
        """A connection was made or changed; the integration's own one is that saved last for the app's piece."""
        own = {
            "default_connection_id": connection.id,
            "default_connection_external_id": _kept(connection.external_id),
        }

        def note(transaction: Transaction) -> None:
            if is_own:
                _change(transaction, integration, own, now)
            event = _event("connection.saved", integration, connection, user_id, now)
            self._audit.record(transaction, event)

        self._database.run_in_transaction(note)

    def deleting(self, integration: Integration, connection: Connection, *, now: int) -> None:
        """A connection is about to go: what its user allowed it to do ends."""
        self._database.run_in_transaction(
            lambda transaction: self._end_grant(transaction, integration, connection, now)
        )

    def deleted(
        self, integration: Integration, connection: Connection, *, user_id: str, now: int
    ) -> None:
        """A connection is gone, and with it what its user allowed it to do."""
        self._database.run_in_transaction(
            lambda transaction: self._note_deletion(
                transaction, integration, connection, user_id, now
            )
        )

    def replaced(
        self,
        integration: Integration,
        source: Connection,
        target: Connection,
        *,
        source_deleted: bool | None,
        user_id: str,
        now: int,
    ) -> None:
        """Flows use another connection; only if the first was seen to be gone, what its user allowed it ends."""
        words = {True: "yes", False: "no", None: "not known"}
        what = {"target_id": target.id, "source_deleted": words[source_deleted]}

        def note(transaction: Transaction) -> None:
            event = _event("connection.replaced", integration, source, user_id, now, **what)
            self._audit.record(transaction, event)
            if source_deleted:
                self._note_deletion(transaction, integration, source, user_id, now)

        self._database.run_in_transaction(note)

    def forget_own(self, integration: Integration, *, now: int) -> None:
        """The own connection is gone, and not by us; or by us, and the answer was lost."""
        self._database.run_in_transaction(
            lambda transaction: _forget_own(
                transaction, integration, integration.default_connection_id, now
            )
        )

    def _note_deletion(
        self,
        transaction: Transaction,
        integration: Integration,
        connection: Connection,
        user_id: str,
        now: int,
    ) -> None:
        _forget_own(transaction, integration, connection.id, now)
        self._end_grant(transaction, integration, connection, now)
        event = _event("connection.deleted", integration, connection, user_id, now)
        self._audit.record(transaction, event)

    def _end_grant(
        self, transaction: Transaction, integration: Integration, connection: Connection, now: int
    ) -> None:
        user_id = user_of(connection)
        current = records.find(transaction.conn, integration.id, tenant_id=integration.tenant_id)
        client_id = current.oauth_client_id
        if client_id is None or user_id is None:
            return
        found = existing_grants(
            transaction.conn,
            client_id=client_id,
            tenant_ids=[integration.tenant_id],
            user_id=user_id,
        )
        self._grants.revoke_in(transaction, found, reason="its connection was deleted", now=now)


def _change(
    transaction: Transaction, integration: Integration, values: dict[str, str | None], now: int
) -> None:
    current = records.find(transaction.conn, integration.id, tenant_id=integration.tenant_id)
    if current.project_id == integration.project_id:
        records.change(transaction, current, values, now=now)


def _forget_own(
    transaction: Transaction, integration: Integration, connection_id: str | None, now: int
) -> None:
    current = records.find(transaction.conn, integration.id, tenant_id=integration.tenant_id)
    if current.default_connection_id == connection_id:
        none = {"default_connection_id": None, "default_connection_external_id": None}
        records.change(transaction, current, none, now=now)


def _kept(external_id: str) -> str | None:
    """The external id, if a column takes it: in Activepieces itself it may be 3000 characters of any kind."""
    takes_it = len(external_id) <= _LONGEST_KEPT and external_id.isprintable()
    return external_id if takes_it else None


def _event(
    name: str,
    integration: Integration,
    connection: Connection,
    user_id: str | None,
    now: int,
    **more: str,
) -> Event:
    return Event(
        name=name,
        at=now,
        tenant_id=integration.tenant_id,
        user_id=user_id,
        detail=told_of(integration, connection) | more,
    )


def told_of(integration: Integration, connection: Connection) -> dict[str, str]:
    """What an event says about a connection."""
    return {
        "integration_id": integration.id,
        "connection_id": connection.id,
        "display_name": connection.display_name,
        "piece_name": connection.piece_name,
    }
