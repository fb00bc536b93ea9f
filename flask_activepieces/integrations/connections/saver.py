"""Saves connections with their owner in the metadata, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ...api_client.client import ActivepiecesClient
from ...api_client.errors import EditionNotSupported, RouteNotFound
from ...api_client.resources.connection_values import Value
from ...api_client.resources.connections import Connection, ConnectionDraft
from ...api_client.resources.global_connections import GlobalConnectionDraft
from ...errors import InvalidInput
from ..client_factory import app_key_not_supported
from ..dependencies import Dependencies
from ..store import Integration
from . import ownership
from .leases import Lease, Leases
from .recorder import Change, ConnectionRecorder

log = logging.getLogger(__name__)

_GLOBAL_UPSERT = "global_connections.upsert"


@dataclass(frozen=True, kw_only=True)
class PlatformSharing:
    """Which projects may use a global connection; None keeps what is stored."""

    #: Must contain the integration's project. None for a new connection: only that project.
    project_ids: Sequence[str] | None = None
    #: Whether future projects may use it, too. None for a new connection: no.
    pre_select_for_new_projects: bool | None = None


@dataclass(frozen=True, kw_only=True)
class NewConnection:
    """A connection to create, or to update with a new value."""

    #: None until it is known: an authorization code is valid for a minute only.
    value: Value | None = field(default=None, repr=False)
    #: None: the app's own piece.
    piece_name: str | None = None
    piece_version: str | None = None
    #: How pages call the piece; None keeps what they know.
    piece_title: str | None = None
    display_name: str | None = None
    #: Its name among the tenant's connections; the same name again updates it. None: the display name.
    external_id: str | None = None
    #: None keeps the existing metadata.
    metadata: Mapping[str, Any] | None = None
    #: The project that the caller expects; it can only be the integration's.
    project_id: str | None = None
    #: For a global connection. None: it belongs to the project.
    platform_sharing: PlatformSharing | None = None
    #: The user for whom a one-click connection is made; it replaces the name.
    owner_user_id: str | None = None
    #: The id of the connection that gets a new value; it replaces the name.
    replaces_id: str | None = None


@dataclass(frozen=True)
class Destination:
    """An external id in a project, or, with ``sharing``, among the global connections."""

    client: ActivepiecesClient
    project_id: str
    external_id: str
    sharing: PlatformSharing | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Where Activepieces looks for the external id."""
        server = self.client.transport.root
        # Shorter than the id of any project.
        return server, ownership.PLATFORM if self.sharing else self.project_id, self.external_id

    def find(self) -> Connection | None:
        """The existing connection with this external id."""
        if self.sharing is None:
            return self.client.connections.find(self.project_id, self.external_id)
        try:
            connections = self.client.global_connections.list()
        except RouteNotFound as error:
            raise EditionNotSupported(
                _GLOBAL_UPSERT,
                detail="this Activepieces has no global connections",
                remedy="Use the scope PROJECT: the Community Edition has no global connections.",
            ) from error
        return next((each for each in connections if each.external_id == self.external_id), None)

    def save(self, draft: Mapping[str, Any], existing: Connection | None) -> Connection:
        """Create the connection, or update the existing one."""
        if self.sharing is None:
            return self.client.connections.upsert(ConnectionDraft(project_id=self.project_id, **draft))
        return self._save_global(draft, existing, self.sharing)

    def _save_global(
        self, draft: Mapping[str, Any], existing: Connection | None, sharing: PlatformSharing
    ) -> Connection:
        """Save the value, and then the projects.

        For Activepieces, other projects make it another connection, even with the same external id. So the value goes
        to the existing projects first: a value that the piece rejects changes nothing, and new projects never get the
        old value.
        """
        old_projects = existing.project_ids if existing else None
        projects = sharing.project_ids or old_projects or (self.project_id,)
        pre_select = sharing.pre_select_for_new_projects
        if pre_select is None:
            pre_select = existing.pre_select_for_new_projects if existing else False
        saved = self.client.global_connections.upsert(
            GlobalConnectionDraft(
                project_ids=old_projects or projects, pre_select_for_new_projects=pre_select, **draft
            )
        )
        current = set(saved.project_ids), saved.pre_select_for_new_projects
        if current == (set(projects), pre_select):
            return saved
        return self.client.global_connections.update(
            saved.id, display_name=saved.display_name, project_ids=projects, pre_select_for_new_projects=pre_select
        )


@dataclass(frozen=True)
class Reservation:
    """A connection that no other request saves at the same time."""

    integration: Integration
    new: NewConnection
    piece_name: str
    destination: Destination
    existing: Connection | None
    lease: Lease


@dataclass(frozen=True)
class ConnectionSaver:
    """Saves connections."""

    deps: Dependencies
    leases: Leases
    recorder: ConnectionRecorder

    @contextmanager
    def reserve(
        self, integration: Integration, new: NewConnection, replaced: Connection | None = None
    ) -> Iterator[Reservation]:
        """Reserve the connection for `save`, or the ``replaced`` one; `Locked` if another request does not finish."""
        piece_name = new.piece_name or self.deps.settings.piece_name
        if piece_name is None:
            log.warning("ACTIVEPIECES_PIECE_NAME is not set")
            raise InvalidInput({"pieceName": "Required, because this app has no default piece."})
        destination = self._destination(integration, new, replaced, piece_name)
        with self.leases.acquire("connection", *destination.key) as lease:
            existing = destination.find()
            yield Reservation(integration, new, piece_name, destination, existing, lease)

    def save(self, reservation: Reservation, value: Value, *, user_id: str) -> Connection:
        """Save the connection with this value; returns it as Activepieces does."""
        new, integration = reservation.new, reservation.integration
        existing = reservation.existing
        existing_metadata = existing.metadata if existing else None
        draft = {
            "external_id": reservation.destination.external_id,
            "display_name": new.display_name or reservation.piece_name,
            "piece_name": reservation.piece_name,
            "piece_version": new.piece_version,
            "metadata": ownership.with_owner_metadata(
                # Without them, Activepieces would remove those of earlier callers.
                existing_metadata if new.metadata is None else new.metadata,
                integration,
                version=self.deps.host.version(),
                user_id=new.owner_user_id,
                piece_title=new.piece_title,
                existing=existing_metadata,
            ),
            "value": value,
        }
        with self.leases.uncertain_call(reservation.lease):
            saved = reservation.destination.save(draft, existing)
        is_default = reservation.piece_name == self.deps.settings.piece_name
        change: Change = "reconnected" if existing else "created"
        self.recorder.record_saved(integration, saved, change=change, is_default=is_default, user_id=user_id)
        return saved

    def _destination(
        self, integration: Integration, new: NewConnection, replaced: Connection | None, piece_name: str
    ) -> Destination:
        name = new.external_id or new.display_name or piece_name
        if new.platform_sharing is not None:
            return self._global_destination(integration, new.platform_sharing, name)
        client = self.deps.client_factory.client_for(integration, "connections.upsert")
        if new.project_id not in (None, integration.project_id):
            raise InvalidInput({"projectId": "This integration is for another project."})
        if replaced is not None:
            external_id = replaced.external_id
        elif new.owner_user_id is not None:
            external_id = ownership.user_external_id(integration, new.owner_user_id)
        else:
            external_id = ownership.external_id(integration, name)
        return Destination(client, integration.project_id, external_id)

    def _global_destination(self, integration: Integration, sharing: PlatformSharing, name: str) -> Destination:
        if not integration.has_credentials:
            raise app_key_not_supported(
                _GLOBAL_UPSERT,
                detail="it would be offered to the projects of other tenants",
                remedy="Set this integration up with a key of its own, or use the scope PROJECT.",
            )
        client = self.deps.client_factory.client_for(integration, _GLOBAL_UPSERT)
        if sharing.project_ids is not None and integration.project_id not in sharing.project_ids:
            # The integration could not list it.
            missing = f"Must contain the integration's own project {integration.project_id}."
            raise InvalidInput({"projectIds": missing})
        external_id = ownership.external_id(integration, name, platform=True)
        return Destination(client, integration.project_id, external_id, sharing)
