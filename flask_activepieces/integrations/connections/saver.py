"""Saving a connection, in a project or for the whole platform: it says whose it is, and is saved one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ...api_client.resources.connection_values import Value
from ...api_client.wire import api_root
from ...host.interface import Host
from ..client_factory import ClientFactory
from ..store import Integration
from . import ownership
from .leases import Leases

if TYPE_CHECKING:
    from ...api_client.client import ActivepiecesClient
    from ...api_client.resources.connections import Connection


@dataclass(frozen=True, kw_only=True)
class PlatformSharing:
    """Which projects a connection of the whole platform is offered to; None keeps what is there."""

    #: None for a new one: the integration's project. That must always be among them.
    project_ids: Sequence[str] | None = None
    #: Whether projects that are made later may use it, too. None for a new one: no.
    pre_select_for_new_projects: bool | None = None


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
    #: For a connection of the whole platform. None: it is the project's.
    platform_sharing: PlatformSharing | None = None
    #: The user of the app whom the connection speaks for, where it speaks for one. Their name is its name.
    owner_user_id: str | None = None
    #: The id of the connection that is given another value, whoever named it and how.
    replaces_id: str | None = None


class Place(Protocol):
    """Where Activepieces keeps connections apart by their external ids."""

    @property
    def name(self) -> str:
        """What no other place of this server is called."""
        ...

    @property
    def external_id(self) -> str:
        """The external id of the connection."""
        ...

    def find(self) -> Connection | None:
        """The connection as it is now."""
        ...

    def send(self, draft: Mapping[str, Any], before: Connection | None) -> Connection:
        """Make the connection, or change it."""
        ...


@dataclass(frozen=True)
class ProjectDestination:
    """Among the connections of one project."""

    client: ActivepiecesClient
    name: str
    external_id: str

    def find(self) -> Connection | None:
        """The project's connection of this external id."""
        return self.client.connections.find(self.name, self.external_id)

    def send(self, draft: Mapping[str, Any], before: Connection | None) -> Connection:
        """Make it, or change the one that has the external id in this project."""
        from ...api_client.resources.connections import ConnectionDraft

        return self.client.connections.upsert(ConnectionDraft(project_id=self.name, **draft))


class ConnectionSaver:
    """Saves connections, each by nobody else at the same time."""

    def __init__(self, host: Host, client_factory: ClientFactory, leases: Leases) -> None:
        self._host = host
        self._client_factory = client_factory
        self._leases = leases

    def save(
        self, integration: Integration, new: NewConnection, place: Place, *, piece_name: str
    ) -> Connection:
        """The connection, as Activepieces has it now."""
        server = api_root(self._client_factory.base_urls.of(integration.id, integration.base_url))
        with self._leases.held("connection", server, place.name, place.external_id) as lease:
            before = place.find()
            metadata = new.metadata
            if metadata is None and before is not None:
                # With ours alone, Activepieces would take the caller's away.
                metadata = before.metadata
            stamped = ownership.stamped(
                metadata,
                integration,
                version=self._host.version(),
                user_id=new.owner_user_id,
                before=before.metadata if before else None,
            )
            with lease.sending():
                draft = {
                    "external_id": place.external_id,
                    "display_name": new.display_name or piece_name,
                    "piece_name": piece_name,
                    "piece_version": new.piece_version,
                    "metadata": stamped,
                    "value": new.value() if callable(new.value) else new.value,
                }
                return place.send(draft, before)
