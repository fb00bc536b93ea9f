"""The connections of a tenant: those of its project that are there for it, and no others.

Activepieces has no way to ask for one connection, and its cursors lose rows that were made in one second; so each
question is one request for all of the project's, and what is not the tenant's is left out here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..client.urls import api_root
from ..client.values import Value
from ..config import Settings
from ..errors import InUse, InvalidInput, NotFound
from ..host import Host
from . import ownership
from .gateways import Gateways
from .journal import Journal
from .leases import Lease, Leases
from .records import Integration

if TYPE_CHECKING:
    from ..client.client import ActivepiecesClient
    from ..client.connections import Connection, Owner, Scope, Status

_PLATFORM = "PLATFORM"


@dataclass(frozen=True, kw_only=True)
class ConnectionFilter:
    """Which connections are asked for; what is not given is not looked at."""

    piece_name: str | None = None
    #: A part of the name, in any case.
    display_name: str | None = None
    statuses: Sequence[Status] = ()
    scope: Scope | None = None


@dataclass(frozen=True, kw_only=True)
class NewConnection:
    """A connection to be made, or to be given another value."""

    #: The value, or what makes it when it is about to be sent: a code is good for a minute.
    value: Value | Callable[[], Value] = field(repr=False)
    #: None: the app's own piece.
    piece_name: str | None = None
    piece_version: str | None = None
    display_name: str | None = None
    #: Its name among the tenant's connections; the same name again changes the connection. None: the display name.
    external_id: str | None = None
    #: None keeps what the connection has.
    metadata: Mapping[str, Any] | None = None
    #: The project that the caller has in mind; there is only one.
    project_id: str | None = None
    #: The user of the app whom the connection speaks for, where it speaks for one.
    for_user: str | None = None


class TenantConnections:
    """Lists, makes, changes and deletes connections; what is another tenant's is not there."""

    def __init__(
        self, settings: Settings, host: Host, gateways: Gateways, leases: Leases, journal: Journal
    ) -> None:
        self._own_piece = settings.piece_name
        self._host = host
        self._gateways = gateways
        self._leases = leases
        self._journal = journal

    def list(
        self, integration: Integration, wanted: ConnectionFilter | None = None
    ) -> Sequence[Connection]:
        """The integration's connections, oldest first."""
        wanted = wanted or ConnectionFilter()
        client = self._gateways.to(integration, "connections.list")
        rows = client.connections.list(
            integration.project_id,
            piece_name=wanted.piece_name,
            display_name=wanted.display_name,
            statuses=wanted.statuses,
            scope=wanted.scope,
        )
        return rows.where(lambda item: ownership.belongs(item.get("metadata"), integration))

    def one(self, integration: Integration, connection_id: str) -> Connection:
        """One of the integration's connections; `NotFound` for any other."""
        return self._found(self.list(integration), connection_id)

    def own(self, integration: Integration) -> Connection:
        """The integration's own connection: the one saved last for the app's piece."""
        if integration.connection_id is None:
            raise NotFound("connection", "own")
        return self.one(integration, integration.connection_id)

    def owners(self, integration: Integration) -> Sequence[Owner]:
        """The users of Activepieces who have connections in the project."""
        client = self._gateways.to(integration, "connections.owners")
        return client.connections.owners(integration.project_id)

    def upsert(
        self, integration: Integration, new: NewConnection, *, user_id: str, now: int
    ) -> Connection:
        """The connection of this name, made or given another value; one at a time, so that there is one."""
        client = self._gateways.to(integration, "connections.upsert")
        piece_name = new.piece_name or self._own_piece
        if piece_name is None:
            raise InvalidInput({"pieceName": "is required, since ACTIVEPIECES_PIECE_NAME is empty"})
        if new.project_id not in (None, integration.project_id):
            raise InvalidInput({"projectId": "this integration is for another project"})
        display_name = new.display_name or piece_name
        external_id = ownership.external_id(integration, new.external_id or display_name)
        server = api_root(self._gateways.base_urls.of(integration.id, integration.base_url))
        with self._leases.held("connection", server, integration.project_id, external_id) as lease:
            saved = self._save(
                client, integration, new, external_id, piece_name, display_name, lease
            )
        self._journal.saved(
            integration, saved, is_own=piece_name == self._own_piece, user_id=user_id, now=now
        )
        return saved

    def update(
        self,
        integration: Integration,
        connection_id: str,
        *,
        display_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        user_id: str,
        now: int,
    ) -> Connection:
        """The connection with another name, or other metadata; its value stays."""
        current = self.one(integration, connection_id)
        stamped = None
        if metadata is not None:
            stamped = ownership.stamped(
                metadata,
                integration,
                version=self._host.version(),
                user_id=ownership.user_of(current),
            )
        name = display_name or current.display_name
        if current.scope == _PLATFORM:
            # By the other route, Activepieces answers 500 for a connection of the whole platform.
            client = self._gateways.to(integration, "global_connections.update")
            saved = client.global_connections.update(
                current.id, display_name=name, metadata=stamped
            )
        else:
            client = self._gateways.to(integration, "connections.update")
            saved = client.connections.update(current.id, display_name=name, metadata=stamped)
        self._journal.saved(integration, saved, is_own=False, user_id=user_id, now=now)
        return saved

    def delete(
        self,
        integration: Integration,
        connection_id: str,
        *,
        force: bool = False,
        user_id: str,
        now: int,
    ) -> None:
        """Delete the connection; `InUse` if flows would fail without it, unless that is wanted."""
        current = self.one(integration, connection_id)
        if current.flow_ids and not force:
            raise InUse(current.flow_ids)
        if current.scope == _PLATFORM:
            # By the other route, Activepieces answers 204 and deletes nothing.
            client = self._gateways.to(integration, "global_connections.delete")
            client.global_connections.delete(current.id)
        else:
            client = self._gateways.to(integration, "connections.delete")
            client.connections.delete(current.id)
        self._journal.deleted(integration, current, user_id=user_id, now=now)

    def replace(
        self,
        integration: Integration,
        *,
        source_id: str,
        target_id: str,
        user_id: str,
        now: int,
    ) -> None:
        """Give the flows of one connection another one of the same piece; the first is deleted."""
        if source_id == target_id:
            raise InvalidInput({"targetAppConnectionId": "it must be another connection"})
        client = self._gateways.to(integration, "connections.replace")
        found = self.list(integration)
        source = self._found(found, source_id)
        self._found(found, target_id)
        client.connections.replace(integration.project_id, source_id=source_id, target_id=target_id)
        self._journal.deleted(integration, source, user_id=user_id, now=now)

    def _save(
        self,
        client: ActivepiecesClient,
        integration: Integration,
        new: NewConnection,
        external_id: str,
        piece_name: str,
        display_name: str,
        lease: Lease,
    ) -> Connection:
        from ..client.connections import ConnectionDraft

        metadata = new.metadata
        if metadata is None:
            # With ours alone, Activepieces would take the caller's away.
            before = client.connections.find(integration.project_id, external_id)
            metadata = before.metadata if before else None
        stamped = ownership.stamped(
            metadata, integration, version=self._host.version(), user_id=new.for_user
        )
        with lease.sending():
            draft = ConnectionDraft(
                project_id=integration.project_id,
                external_id=external_id,
                display_name=display_name,
                piece_name=piece_name,
                piece_version=new.piece_version,
                metadata=stamped,
                value=new.value() if callable(new.value) else new.value,
            )
            return client.connections.upsert(draft)

    def _found(self, connections: Sequence[Connection], connection_id: str) -> Connection:
        for connection in connections:
            if connection.id == connection_id:
                return connection
        raise NotFound("connection", connection_id)
