"""Saves connections with their owner in the metadata, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...api_client.resources.connection_values import Value
from ...api_client.resources.connections import Connection
from ...api_client.wire import api_root
from ...config.settings import Settings
from ...errors import InvalidInput
from ...host.interface import Host
from ..client_factory import ClientFactory
from ..store import Integration
from . import ownership
from .destinations import Destination, ProjectDestination, platform_destination
from .leases import Lease, Leases
from .lookup import ConnectionLookup
from .new_connection import NewConnection
from .recorder import ConnectionRecorder


@dataclass(frozen=True)
class Reservation:
    """A connection that no other request saves at the same time."""

    integration: Integration
    new: NewConnection
    piece_name: str
    destination: Destination
    existing: Connection | None
    lease: Lease


class ConnectionSaver:
    """Saves connections."""

    def __init__(
        self,
        settings: Settings,
        host: Host,
        client_factory: ClientFactory,
        lookup: ConnectionLookup,
        leases: Leases,
        recorder: ConnectionRecorder,
    ) -> None:
        self._app_piece = settings.piece_name
        self._host = host
        self._client_factory = client_factory
        self._lookup = lookup
        self._leases = leases
        self._recorder = recorder

    @contextmanager
    def reserve(self, integration: Integration, new: NewConnection) -> Iterator[Reservation]:
        """Reserve the connection for `save`; `Locked` if another request does not finish saving it."""
        piece_name = new.piece_name or self._app_piece
        if piece_name is None:
            raise InvalidInput({"pieceName": "is required, since ACTIVEPIECES_PIECE_NAME is empty"})
        destination = self._destination(integration, new, piece_name)
        server = api_root(self._client_factory.base_urls.for_integration(integration))
        key = (server, destination.name, destination.external_id)
        with self._leases.acquire("connection", *key) as lease:
            existing = destination.find()
            yield Reservation(integration, new, piece_name, destination, existing, lease)

    def save(self, reservation: Reservation, value: Value, *, user_id: str) -> Connection:
        """The connection with this value, as Activepieces returns it."""
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
                version=self._host.version(),
                user_id=new.owner_user_id,
                existing=existing_metadata,
            ),
            "value": value,
        }
        with self._leases.uncertain_call(reservation.lease):
            saved = reservation.destination.save(draft, existing)
        is_default = reservation.piece_name == self._app_piece
        self._recorder.record_saved(integration, saved, is_default=is_default, user_id=user_id)
        return saved

    def _destination(
        self, integration: Integration, new: NewConnection, piece_name: str
    ) -> Destination:
        name = new.external_id or new.display_name or piece_name
        if new.platform_sharing is not None:
            return platform_destination(
                self._client_factory, integration, new.platform_sharing, connection_name=name
            )
        client = self._client_factory.client_for(integration, "connections.upsert")
        if new.project_id not in (None, integration.project_id):
            raise InvalidInput({"projectId": "this integration is for another project"})
        if new.replaces_id is not None:
            external_id = self._lookup.get_renewable(integration, new.replaces_id).external_id
        elif new.owner_user_id is not None:
            external_id = ownership.user_external_id(integration, new.owner_user_id)
        else:
            external_id = ownership.external_id(integration, name)
        return ProjectDestination(client, integration.project_id, external_id)
