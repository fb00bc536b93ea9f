"""The connections of a tenant: those of its project that belong to it. Values go in, and never come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...api_client.errors import ApiError, ResourceNotFound
from ...api_client.resources.connection_values import Placeholder
from ...api_client.resources.connections import Connection, Owner
from ...errors import ConnectionInUse, InvalidInput, NotFound
from ...host.interface import Host
from ..client_factory import ClientFactory
from ..store import Integration
from . import ownership
from .leases import outcome_unknown
from .lookup import ConnectionFilter, ConnectionLookup, pick
from .new_connection import NewConnection
from .recorder import ConnectionRecorder
from .saver import ConnectionSaver


@dataclass(frozen=True, kw_only=True)
class ReplacementResult:
    """The result of a replacement, as a look afterwards showed it."""

    #: None if Activepieces could not be asked.
    source_deleted: bool | None


@dataclass(frozen=True)
class TenantConnections:
    """Lists, saves, updates, deletes and replaces connections; those of other tenants are `NotFound`."""

    host: Host
    client_factory: ClientFactory
    lookup: ConnectionLookup
    saver: ConnectionSaver
    recorder: ConnectionRecorder

    def list(
        self,
        integration: Integration,
        filter: ConnectionFilter = ConnectionFilter(),  # noqa: B008  # frozen
    ) -> Sequence[Connection]:
        """The integration's connections, oldest first."""
        return self.lookup.list(integration, filter)

    def get(self, integration: Integration, connection_id: str) -> Connection:
        """One of the integration's connections."""
        return self.lookup.get(integration, connection_id)

    def get_default(self, integration: Integration) -> Connection:
        """The integration's default connection: the last one saved for the app's own piece."""
        if integration.default_connection_id is None:
            raise NotFound("connection", "default")
        return self._get_or_forget(integration, integration.default_connection_id)

    def list_owners(self, integration: Integration) -> Sequence[Owner]:
        """The users of Activepieces who have connections in the project."""
        client = self.client_factory.client_for(integration, "connections.list_owners")
        return client.connections.list_owners(integration.project_id)

    def save(self, integration: Integration, new: NewConnection, *, user_id: str) -> Connection:
        """The connection with this name, created or with another value."""
        with self.saver.reserve(integration, new) as reservation:
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
        changes: dict[str, Any] = {
            "display_name": display_name or current.display_name,
            "metadata": None
            if metadata is None
            else ownership.with_owner_metadata(
                metadata,
                integration,
                version=self.host.version(),
                user_id=ownership.owner_user_id(current),
                existing=current.metadata,
            ),
        }
        if current.scope == ownership.PLATFORM:
            # The other route answers 500 for a global connection.
            client = self.client_factory.client_for(integration, "global_connections.update")
            updated = client.global_connections.update(current.id, **changes)
        else:
            client = self.client_factory.client_for(integration, "connections.update")
            updated = client.connections.update(current.id, **changes)
        self.recorder.record_saved(integration, updated, is_default=False, user_id=user_id)
        return updated

    def delete(self, integration: Integration, connection_id: str, *, force: bool = False, user_id: str) -> None:
        """Delete the connection; `ConnectionInUse` if flows use it, unless forced."""
        current = self._get_or_forget(integration, connection_id)
        if current.flow_ids and not force:
            raise ConnectionInUse(current.flow_ids)
        delete: Callable[[str], None]
        if current.scope == ownership.PLATFORM:
            # The other route answers 204 for a global connection, and deletes nothing.
            client = self.client_factory.client_for(integration, "global_connections.delete")
            delete = client.global_connections.delete
        else:
            client = self.client_factory.client_for(integration, "connections.delete")
            delete = client.connections.delete
        # First, so that a lost response never leaves a user's grant without its connection.
        self.recorder.revoke_grant(integration, current)
        self._run_deletion(integration, current, partial(delete, current.id))
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
        client = self.client_factory.client_for(integration, "connections.replace")
        connections = self.list(integration)
        source, target = pick(connections, source_id), pick(connections, target_id)
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
