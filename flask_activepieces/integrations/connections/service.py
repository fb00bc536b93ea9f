"""The connections of a tenant: those of its project that belong to it. Values go in, and never come out.

Activepieces cannot return a single connection, and its paging loses connections that were created in the same second.
So each lookup lists all of the project's connections, and leaves out those of other tenants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...api_client.errors import ApiError, ResourceNotFound
from ...api_client.resources.connection_values import Placeholder
from ...api_client.resources.connections import Connection, Connections, ConnectionScope, ConnectionStatus, Owner
from ...api_client.resources.global_connections import GlobalConnections
from ...errors import ConnectionInUse, InvalidInput, NotFound
from .. import store
from ..dependencies import Dependencies
from ..store import Integration
from . import ownership
from .leases import outcome_unknown
from .recorder import ConnectionRecorder
from .saver import ConnectionSaver, NewConnection


@dataclass(frozen=True, kw_only=True)
class ConnectionFilter:
    """Which connections to list."""

    piece_name: str | None = None
    #: A part of the name, ignoring case.
    display_name: str | None = None
    statuses: Sequence[ConnectionStatus] = ()
    scope: ConnectionScope | None = None


@dataclass(frozen=True, kw_only=True)
class ReplacementResult:
    """The result of a replacement, as a look afterwards showed it."""

    #: None if Activepieces could not be asked.
    source_deleted: bool | None


@dataclass(frozen=True)
class TenantConnections:
    """Lists, saves, updates, deletes and replaces connections; those of other tenants are `NotFound`."""

    deps: Dependencies
    saver: ConnectionSaver
    recorder: ConnectionRecorder

    def list(
        self,
        integration: Integration,
        filter: ConnectionFilter = ConnectionFilter(),  # noqa: B008  # frozen
    ) -> Sequence[Connection]:
        """The integration's connections, oldest first."""
        client = self.deps.client_factory.client_for(integration, "connections.list")
        connections = client.connections.list(integration.project_id, **vars(filter))
        is_owned = partial(
            ownership.is_owned_by, integration=integration, has_project_alone=self._has_project_alone(integration)
        )
        return [each for each in connections if is_owned(each.metadata, each.external_id, each.scope)]

    def get(self, integration: Integration, connection_id: str) -> Connection:
        """One of the integration's connections."""
        return _pick(self.list(integration), connection_id)

    def get_renewable(self, integration: Integration, connection_id: str) -> Connection:
        """A connection that may get another value by its id; `InvalidInput` if it may not."""
        connection = self.get(integration, connection_id)
        if ownership.is_renewable(connection):
            return connection
        if connection.scope == ownership.PLATFORM:
            problem = "This is a global connection. Save it again with the scope PLATFORM."
        else:
            problem = "This connection belongs to a user, who can renew it with one click."
        raise InvalidInput({"connectionId": problem})

    def get_default(self, integration: Integration) -> Connection:
        """The integration's default connection: the last one saved for the app's own piece."""
        if integration.default_connection_id is None:
            raise NotFound("connection", "default")
        return self._get_or_forget(integration, integration.default_connection_id)

    def list_owners(self, integration: Integration) -> Sequence[Owner]:
        """The users of Activepieces who have connections in the project."""
        client = self.deps.client_factory.client_for(integration, "connections.list_owners")
        return client.connections.list_owners(integration.project_id)

    def save(self, integration: Integration, new: NewConnection, *, user_id: str) -> Connection:
        """The connection with this name, created or with another value."""
        replaced = self.get_renewable(integration, new.replaces_id) if new.replaces_id is not None else None
        with self.saver.reserve(integration, new, replaced) as reservation:
            return self.saver.save(reservation, new.value or Placeholder(), user_id=user_id)

    def update(
        self,
        integration: Integration,
        connection_id: str,
        *,
        display_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        user_id: str,
    ) -> Connection:
        """The connection with another name or other metadata; its value stays."""
        current = self.get(integration, connection_id)
        if metadata is not None:
            metadata = ownership.with_owner_metadata(
                metadata,
                integration,
                version=self.deps.host.version(),
                user_id=ownership.owner_user_id(current),
                existing=current.metadata,
            )
        routes = self._routes(integration, current, "update")
        updated = routes.update(current.id, display_name=display_name or current.display_name, metadata=metadata)
        self.recorder.record_saved(integration, updated, change="updated", is_default=False, user_id=user_id)
        return updated

    def delete(self, integration: Integration, connection_id: str, *, force: bool = False, user_id: str) -> None:
        """Delete the connection; `ConnectionInUse` if flows use it, unless forced."""
        current = self._get_or_forget(integration, connection_id)
        if current.flow_ids and not force:
            raise ConnectionInUse(current.flow_ids)
        routes = self._routes(integration, current, "delete")
        # First, so that a lost response never leaves a user's grant without its connection.
        self.recorder.revoke_grant(integration, current)
        self._run_deletion(integration, current, partial(routes.delete, current.id))
        self.recorder.record_deleted(integration, current, user_id=user_id)

    def replace(
        self,
        integration: Integration,
        *,
        source_id: str,
        target_id: str,
        apply_to_published: bool = True,
        delete_source: bool | None = None,
        user_id: str,
    ) -> ReplacementResult:
        """Move the flows of one connection to another of the same piece, and delete the first.

        Without ``apply_to_published`` only drafts change. ``delete_source`` None means yes, unless published flows or
        other projects may still use it. The grant of its user is revoked only if the source is seen to be gone:
        otherwise flows would fail with it.
        """
        if source_id == target_id:
            raise InvalidInput({"targetAppConnectionId": "Must be another connection."})
        client = self.deps.client_factory.client_for(integration, "connections.replace")
        connections = self.list(integration)
        source, target = _pick(connections, source_id), _pick(connections, target_id)
        if delete_source is None:
            delete_source = apply_to_published and source.scope != ownership.PLATFORM
        if delete_source and not apply_to_published:
            raise InvalidInput({"deleteSourceConnection": "Published flows would lose their connection."})
        replace = partial(
            client.connections.replace,
            integration.project_id,
            source_id=source_id,
            target_id=target_id,
            apply_to_published=apply_to_published,
            delete_source=delete_source,
        )
        source_deleted: bool | None = self._run_deletion(integration, source, replace)
        if not source_deleted:
            # Depending on its version, the server may or may not have deleted it.
            try:
                source_deleted = not self._exists(integration, source)
            except ApiError:
                source_deleted = None
        self.recorder.record_replaced(integration, source, target, source_deleted=source_deleted, user_id=user_id)
        return ReplacementResult(source_deleted=source_deleted)

    def _has_project_alone(self, integration: Integration) -> bool:
        """Whether no other tenant or organization uses the project, or could have used it."""
        if self.deps.client_factory.shares_project(integration):
            return False
        # A tenant may have been set up in it while it was the shared project, or with a key of its own.
        return self.deps.database.read(lambda conn: store.is_alone_in_project(conn, integration))

    def _routes(
        self, integration: Integration, connection: Connection, operation: str
    ) -> Connections | GlobalConnections:
        """The API for this connection: the other one answers 500 for a global one, or 204 and deletes nothing."""
        is_global = connection.scope == ownership.PLATFORM
        name = "global_connections" if is_global else "connections"
        client = self.deps.client_factory.client_for(integration, f"{name}.{operation}")
        return client.global_connections if is_global else client.connections

    def _run_deletion(self, integration: Integration, connection: Connection, delete: Callable[[], None]) -> bool:
        """Run the call; True if its response did not show the outcome, and the connection is seen to be gone."""
        try:
            delete()
        except ApiError as error:
            is_uncertain = isinstance(error, ResourceNotFound) or outcome_unknown(error)
            if not is_uncertain or self._exists(integration, connection):
                raise
            return True
        return False

    def _exists(self, integration: Integration, connection: Connection) -> bool:
        return any(each.id == connection.id for each in self.list(integration))

    def _get_or_forget(self, integration: Integration, connection_id: str) -> Connection:
        """The connection; if it is gone, it is no longer the default connection either."""
        try:
            return self.get(integration, connection_id)
        except NotFound:
            if connection_id == integration.default_connection_id:
                self.recorder.clear_default_connection(integration)
            raise


def _pick(connections: Sequence[Connection], connection_id: str) -> Connection:
    """The connection with this id; `NotFound` if it does not exist."""
    for connection in connections:
        if connection.id == connection_id:
            return connection
    raise NotFound("connection", connection_id)
