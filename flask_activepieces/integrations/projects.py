"""Which Activepieces project a tenant's integration is for: chosen, found, or made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..api_client.errors import Conflict
from ..errors import InvalidInput
from .client_factory import ClientFactory
from .store import Integration

if TYPE_CHECKING:
    from ..api_client.client import ActivepiecesClient
    from ..api_client.resources.projects import Project

#: How many projects an error lists; a person with more knows the id.
_MOST_LISTED = 20


def choose(
    projects: Sequence[Project], *, wanted: str | None, current: str | None, external_id: str
) -> str:
    """The project for an integration with a key of its own; `InvalidInput` lists what there is to choose from."""
    ids = [project.id for project in projects]
    if wanted is not None:
        if wanted not in ids:
            raise InvalidInput({"projectId": f"this key sees no such project. {_listed(projects)}"})
        return wanted
    if current is not None and current in ids:
        return current
    if len(ids) == 1:
        return ids[0]
    own = [project.id for project in projects if project.external_id == external_id]
    if own:
        return own[0]
    raise InvalidInput({"projectId": f"choose a project. {_listed(projects)}"})


def assigned(client: ActivepiecesClient, *, external_id: str, name: str) -> str:
    """The project of a tenant on the app's own key, found by the tenant's id or made."""
    from ..api_client.resources.projects import project_name

    found = client.projects.find(external_id)
    if found is None:
        try:
            found = client.projects.create(project_name(name), external_id=external_id)
        except Conflict:
            # Another request of the same tenant came first.
            found = client.projects.find(external_id)
            if found is None:
                raise
    return found.id


class TenantProjects:
    """What projects a tenant may see."""

    def __init__(self, client_factory: ClientFactory) -> None:
        self._client_factory = client_factory

    def list(self, integration: Integration) -> Sequence[Project]:
        """All that the tenant's own key sees; of the app's own key only the integration's project."""
        if integration.has_credentials:
            return self._client_factory.client_for(integration, "projects.list").projects.list()
        client = self._client_factory.client_for(integration, "projects.get")
        return (client.projects.get(integration.project_id),)


def _listed(projects: Sequence[Project]) -> str:
    if not projects:
        return "It sees none."
    shown = [f"{project.display_name} ({project.id})" for project in projects[:_MOST_LISTED]]
    more = len(projects) - len(shown)
    return f"There is: {', '.join(shown)}{f' and {more} more' if more else ''}."
