"""Connections of the whole platform: a tenant with a key of its own makes them, for as many projects as it likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...api_client.errors import CredentialNotSupported, EditionNotSupported, RouteNotFound
from ...errors import InvalidInput
from ..client_factory import ClientFactory
from ..store import Integration
from . import ownership
from .saver import PlatformSharing

if TYPE_CHECKING:
    from ...api_client.client import ActivepiecesClient
    from ...api_client.resources.connections import Connection

_UPSERT = "global_connections.upsert"


def platform_destination(
    client_factory: ClientFactory,
    integration: Integration,
    platform_sharing: PlatformSharing,
    *,
    name: str,
) -> PlatformDestination:
    """Where a connection of this name for the whole platform is kept; not on the app's own key."""
    if not integration.has_credentials:
        raise CredentialNotSupported(
            _UPSERT,
            credential="the app's own key",
            detail="it would be offered to the projects of other tenants",
            remedy="Set this integration up with a key of its own, or make it with the scope PROJECT.",
        )
    client = client_factory.client_for(integration, _UPSERT)
    if (
        platform_sharing.project_ids is not None
        and integration.project_id not in platform_sharing.project_ids
    ):
        # It would be out of this integration's sight: what is listed is what the project may use.
        own = f"the integration's own project {integration.project_id} must be among them"
        raise InvalidInput({"projectIds": own})
    external_id = ownership.external_id(integration, name, of_platform=True)
    return PlatformDestination(client, integration, external_id, platform_sharing)


@dataclass(frozen=True)
class PlatformDestination:
    """Among the connections of the whole platform."""

    client: ActivepiecesClient
    integration: Integration
    external_id: str
    platform_sharing: PlatformSharing
    #: In place of a project's id, which is longer.
    name: str = ownership.PLATFORM

    def find(self) -> Connection | None:
        """The connection of this external id, whichever projects may use it."""
        try:
            rows = self.client.global_connections.list()
        except RouteNotFound as error:
            raise EditionNotSupported(
                _UPSERT,
                detail="this Activepieces has no connections of the whole platform",
                remedy="Make it in the project, with the scope PROJECT: the Community Edition has no others.",
            ) from error
        return next((row for row in rows if row.external_id == self.external_id), None)

    def send(self, draft: Mapping[str, Any], before: Connection | None) -> Connection:
        """Make it, or change it, and then whom it is offered to.

        To Activepieces other projects are another connection, even with the same external id. So the value goes to
        the projects that have it now: what the piece refuses changes nothing, and nobody new gets the old value.
        """
        from ...api_client.resources.global_connections import GlobalConnectionDraft

        project_ids, pre_select = self._project_ids(before), self._pre_select(before)
        saved = self.client.global_connections.upsert(
            GlobalConnectionDraft(
                project_ids=before.project_ids if before else project_ids,
                pre_select_for_new_projects=pre_select,
                **draft,
            )
        )
        have = set(saved.project_ids), saved.pre_select_for_new_projects
        if have == (set(project_ids), pre_select):
            return saved
        return self.client.global_connections.update(
            saved.id,
            display_name=saved.display_name,
            project_ids=project_ids,
            pre_select_for_new_projects=pre_select,
        )

    def _project_ids(self, before: Connection | None) -> Sequence[str]:
        if self.platform_sharing.project_ids is not None:
            return self.platform_sharing.project_ids
        return before.project_ids if before else (self.integration.project_id,)

    def _pre_select(self, before: Connection | None) -> bool:
        wanted = self.platform_sharing.pre_select_for_new_projects
        if wanted is not None:
            return wanted
        return before.pre_select_for_new_projects if before else False
