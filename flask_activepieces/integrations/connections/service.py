"""The connections of a tenant: those of its project that are there for it, and no others.

Activepieces has no way to ask for one connection, and its cursors lose rows that were made in one second; so each
question is one request for all of the project's, and what is not the tenant's is left out here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ...api_client.errors import ApiError, ResourceNotFound
from ...config.settings import Settings
from ...errors import ConnectionInUse, InvalidInput, NotFound
from ...host.interface import Host
from ..client_factory import ClientFactory
from ..store import Integration
from . import ownership
from .global_connections import platform_destination
from .leases import Leases, may_still_happen
from .recorder import ConnectionRecorder
from .saver import ConnectionSaver, NewConnection, Place, ProjectDestination

if TYPE_CHECKING:
    from ...api_client.resources.connections import (
        Connection,
        ConnectionScope,
        ConnectionStatus,
        Owner,
    )


@dataclass(frozen=True, kw_only=True)
class ConnectionFilter:
    """Which connections are asked for; what is not given is not looked at."""

    piece_name: str | None = None
    #: A part of the name, in any case.
    display_name: str | None = None
    statuses: Sequence[ConnectionStatus] = ()
    scope: ConnectionScope | None = None


@dataclass(frozen=True, kw_only=True)
class ReplacementResult:
    """What came of a replacement, as a look afterwards showed."""

    #: None when Activepieces could not be asked.
    source_deleted: bool | None


class TenantConnections:
    """Lists, makes, changes and deletes connections; what is another tenant's is not there."""

    def __init__(
        self,
        settings: Settings,
        host: Host,
        client_factory: ClientFactory,
        leases: Leases,
        recorder: ConnectionRecorder,
    ) -> None:
        self._own_piece = settings.piece_name
        self._host = host
        self._client_factory = client_factory
        self._saver = ConnectionSaver(host, client_factory, leases)
        self._recorder = recorder

    def list(
        self, integration: Integration, wanted: ConnectionFilter | None = None
    ) -> Sequence[Connection]:
        """The integration's connections, oldest first."""
        wanted = wanted or ConnectionFilter()
        client = self._client_factory.client_for(integration, "connections.list")
        connections = client.connections.list(
            integration.project_id,
            piece_name=wanted.piece_name,
            display_name=wanted.display_name,
            statuses=wanted.statuses,
            scope=wanted.scope,
        )
        return [
            each
            for each in connections
            if ownership.belongs(each.metadata, each.external_id, integration)
        ]

    def get(self, integration: Integration, connection_id: str) -> Connection:
        """One of the integration's connections; `NotFound` for any other."""
        return self._found(self.list(integration), connection_id)

    def get_default(self, integration: Integration, *, now: int) -> Connection:
        """The integration's own connection: the one saved last for the app's piece."""
        if integration.default_connection_id is None:
            raise NotFound("connection", "own")
        return self._known(integration, integration.default_connection_id, now=now)

    def get_renewable(self, integration: Integration, connection_id: str) -> Connection:
        """One that is to be given another value by its id; `InvalidInput` where that is not the way."""
        found = self.get(integration, connection_id)
        if ownership.is_renewable(found):
            return found
        whose = "a user's: they renew it by one click"
        if found.scope == ownership.PLATFORM:
            whose = "of the whole platform: save it again with the scope PLATFORM"
        raise InvalidInput({"connectionId": f"it is {whose}"})

    def list_owners(self, integration: Integration) -> Sequence[Owner]:
        """The users of Activepieces who have connections in the project."""
        client = self._client_factory.client_for(integration, "connections.list_owners")
        return client.connections.list_owners(integration.project_id)

    def save(
        self, integration: Integration, new: NewConnection, *, user_id: str, now: int
    ) -> Connection:
        """The connection of this name, made or given another value; one at a time, so that there is one."""
        piece_name = new.piece_name or self._own_piece
        if piece_name is None:
            raise InvalidInput({"pieceName": "is required, since ACTIVEPIECES_PIECE_NAME is empty"})
        place = self._place(integration, new, new.external_id or new.display_name or piece_name)
        saved = self._saver.save(integration, new, place, piece_name=piece_name)
        self._recorder.saved(
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
        current = self.get(integration, connection_id)
        stamped = None
        if metadata is not None:
            stamped = ownership.stamped(
                metadata,
                integration,
                version=self._host.version(),
                user_id=ownership.user_of(current),
                before=current.metadata,
            )
        name = display_name or current.display_name
        if current.scope == ownership.PLATFORM:
            # By the other route, Activepieces answers 500 for a connection of the whole platform.
            client = self._client_factory.client_for(integration, "global_connections.update")
            saved = client.global_connections.update(
                current.id, display_name=name, metadata=stamped
            )
        else:
            client = self._client_factory.client_for(integration, "connections.update")
            saved = client.connections.update(current.id, display_name=name, metadata=stamped)
        self._recorder.saved(integration, saved, is_own=False, user_id=user_id, now=now)
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
        """Delete the connection; `ConnectionInUse` if flows would fail without it, unless that is wanted."""
        current = self._known(integration, connection_id, now=now)
        if current.flow_ids and not force:
            raise ConnectionInUse(current.flow_ids)
        delete = self._deletion(integration, current)
        # First, so that no lost answer leaves a user's permission without the connection that it was given for.
        self._recorder.deleting(integration, current, now=now)
        self._ended(integration, current, by=delete)
        self._recorder.deleted(integration, current, user_id=user_id, now=now)

    def replace(
        self,
        integration: Integration,
        *,
        source_id: str,
        target_id: str,
        apply_to_published: bool = True,
        delete_source: bool | None = None,
        user_id: str,
        now: int,
    ) -> ReplacementResult:
        """Give the flows of one connection another one of the same piece; the first is deleted.

        Without ``apply_to_published`` only drafts change. ``delete_source`` is None for: yes, unless published flows
        or other projects may still use it. What its user allowed ends when the source is seen to be gone, and not
        before: flows would fail with it.
        """
        if source_id == target_id:
            raise InvalidInput({"targetAppConnectionId": "it must be another connection"})
        client = self._client_factory.client_for(integration, "connections.replace")
        found = self.list(integration)
        source, target = self._found(found, source_id), self._found(found, target_id)
        if delete_source is None:
            delete_source = apply_to_published and source.scope != ownership.PLATFORM
        if delete_source and not apply_to_published:
            left = "published flows would be left without their connection"
            raise InvalidInput({"deleteSourceConnection": left})
        replace = partial(
            client.connections.replace,
            integration.project_id,
            source_id=source_id,
            target_id=target_id,
            apply_to_published=apply_to_published,
            delete_source=delete_source,
        )
        gone = self._ended(integration, source, by=replace) or self._is_gone(integration, source)
        self._recorder.replaced(
            integration, source, target, source_deleted=gone, user_id=user_id, now=now
        )
        return ReplacementResult(source_deleted=gone)

    def _place(self, integration: Integration, new: NewConnection, name: str) -> Place:
        if new.platform_sharing is not None:
            return platform_destination(
                self._client_factory, integration, new.platform_sharing, name=name
            )
        client = self._client_factory.client_for(integration, "connections.upsert")
        if new.project_id not in (None, integration.project_id):
            raise InvalidInput({"projectId": "this integration is for another project"})
        if new.replaces_id is not None:
            external_id = self.get_renewable(integration, new.replaces_id).external_id
        elif new.owner_user_id is not None:
            external_id = ownership.external_id_of_user(integration, new.owner_user_id)
        else:
            external_id = ownership.external_id(integration, name)
        return ProjectDestination(client, integration.project_id, external_id)

    def _deletion(self, integration: Integration, connection: Connection) -> Callable[[], None]:
        if connection.scope == ownership.PLATFORM:
            # By the other route, Activepieces answers 204 and deletes nothing.
            client = self._client_factory.client_for(integration, "global_connections.delete")
            return partial(client.global_connections.delete, connection.id)
        client = self._client_factory.client_for(integration, "connections.delete")
        return partial(client.connections.delete, connection.id)

    def _ended(
        self, integration: Integration, connection: Connection, *, by: Callable[[], None]
    ) -> bool:
        """Do what ends the connection; whether the answer did not say so, and it was looked for and is gone."""
        try:
            by()
        except ApiError as error:
            if not (isinstance(error, ResourceNotFound) or may_still_happen(error)):
                raise
            if self._is_there(integration, connection):
                raise
            return True
        return False

    def _is_gone(self, integration: Integration, connection: Connection) -> bool | None:
        """Whether a connection is gone, which depends on the server's version; None if the server cannot be asked."""
        try:
            return not self._is_there(integration, connection)
        except ApiError:
            return None

    def _is_there(self, integration: Integration, connection: Connection) -> bool:
        return any(left.id == connection.id for left in self.list(integration))

    def _known(self, integration: Integration, connection_id: str, *, now: int) -> Connection:
        """One of the integration's; what is not there any more is not its own one either."""
        try:
            return self.get(integration, connection_id)
        except NotFound:
            if connection_id == integration.default_connection_id:
                self._recorder.forget_own(integration, now=now)
            raise

    def _found(self, connections: Sequence[Connection], connection_id: str) -> Connection:
        for connection in connections:
            if connection.id == connection_id:
                return connection
        raise NotFound("connection", connection_id)
