"""Where a connection is saved: in the integration's project, or as a global connection for several projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...api_client.client import ActivepiecesClient
from ...api_client.errors import CredentialNotSupported, EditionNotSupported, RouteNotFound
from ...api_client.resources.connections import Connection, ConnectionDraft
from ...api_client.resources.global_connections import GlobalConnectionDraft
from ...errors import InvalidInput
from ..client_factory import ClientFactory
from ..store import Integration
from . import ownership
from .new_connection import PlatformSharing

_GLOBAL_UPSERT = "global_connections.upsert"


class Destination(Protocol):
    """Where Activepieces tells connections apart by their external ids."""

    @property
    def name(self) -> str:
        """Different from that of any other destination on the same server."""
        ...

    @property
    def external_id(self) -> str:
        """The external id of the connection."""
        ...

    def find(self) -> Connection | None:
        """The existing connection."""
        ...

    def save(self, draft: Mapping[str, Any], existing: Connection | None) -> Connection:
        """Create or update the connection."""
        ...


@dataclass(frozen=True)
class ProjectDestination:
    """The connections of one project, whose id is the name."""

    client: ActivepiecesClient
    name: str
    external_id: str

    def find(self) -> Connection | None:
        """The project's connection with this external id."""
        return self.client.connections.find(self.name, self.external_id)

    def save(self, draft: Mapping[str, Any], existing: Connection | None) -> Connection:
        """Create the connection, or update the one with this external id."""
        return self.client.connections.upsert(ConnectionDraft(project_id=self.name, **draft))


def platform_destination(
    client_factory: ClientFactory,
    integration: Integration,
    sharing: PlatformSharing,
    *,
    connection_name: str,
) -> PlatformDestination:
    """The destination of a global connection; `CredentialNotSupported` on the app's own key."""
    if not integration.has_credentials:
        raise CredentialNotSupported(
            _GLOBAL_UPSERT,
            credential="the app's own key",
            detail="it would be offered to the projects of other tenants",
            remedy="Set this integration up with a key of its own, or use the scope PROJECT.",
        )
    client = client_factory.client_for(integration, _GLOBAL_UPSERT)
    if sharing.project_ids is not None and integration.project_id not in sharing.project_ids:
        # The integration could not list it.
        missing = f"must contain the integration's own project {integration.project_id}"
        raise InvalidInput({"projectIds": missing})
    external_id = ownership.external_id(integration, connection_name, platform=True)
    return PlatformDestination(client, integration.project_id, external_id, sharing)


@dataclass(frozen=True)
class PlatformDestination:
    """The global connections of the platform."""

    client: ActivepiecesClient
    project_id: str
    external_id: str
    sharing: PlatformSharing
    #: Shorter than the id of any project.
    name: str = ownership.PLATFORM

    def find(self) -> Connection | None:
        """The global connection with this external id, for whatever projects."""
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
        """Create or update the connection, and then its projects.

        For Activepieces, other projects make it another connection, even with the same external id. So the value
        goes to the existing projects first: a value that the piece rejects changes nothing, and new projects never
        get the old value.
        """
        project_ids = self.sharing.project_ids
        if project_ids is None:
            project_ids = existing.project_ids if existing else (self.project_id,)
        pre_select = self.sharing.pre_select_for_new_projects
        if pre_select is None:
            pre_select = existing.pre_select_for_new_projects if existing else False
        saved = self.client.global_connections.upsert(
            GlobalConnectionDraft(
                project_ids=existing.project_ids if existing else project_ids,
                pre_select_for_new_projects=pre_select,
                **draft,
            )
        )
        current = set(saved.project_ids), saved.pre_select_for_new_projects
        if current == (set(project_ids), pre_select):
            return saved
        return self.client.global_connections.update(
            saved.id,
            display_name=saved.display_name,
            project_ids=project_ids,
            pre_select_for_new_projects=pre_select,
        )
