"""The Activepieces project of an integration: chosen, found or created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..api_client.client import ActivepiecesClient
from ..api_client.errors import Conflict
from ..api_client.resources.projects import Project, project_name
from ..errors import InvalidInput
from .client_factory import ClientFactory
from .store import Integration

#: How many projects an error lists.
_MAX_LISTED = 20


@dataclass(frozen=True)
class TenantProjects:
    """The projects that a tenant may see."""

    client_factory: ClientFactory

    def list(self, integration: Integration) -> Sequence[Project]:
        """All that the tenant's own credentials can access; for the app's own key, the integration's project."""
        if integration.has_credentials:
            return self.client_factory.client_for(integration, "projects.list").projects.list()
        client = self.client_factory.client_for(integration, "projects.get")
        return (client.projects.get(integration.project_id),)


def choose_project(
    projects: Sequence[Project], *, requested: str | None, current: str | None, external_id: str
) -> str:
    """The project for an integration with its own credentials; `InvalidInput` lists the possible ones.

    In this order: the requested one, the current one, the only one, the one with the tenant's external id.
    """
    ids = [project.id for project in projects]
    if requested is not None:
        if requested not in ids:
            raise InvalidInput({"projectId": f"The key cannot access this project. {_listed(projects)}"})
        return requested
    if current in ids:
        return str(current)
    if len(ids) == 1:
        return ids[0]
    for project in projects:
        if project.external_id == external_id:
            return project.id
    raise InvalidInput({"projectId": f"Choose a project. {_listed(projects)}"})


def find_or_create(client: ActivepiecesClient, *, external_id: str, name: str) -> str:
    """The project of a tenant on the app's own key, found by the tenant's id or created."""
    project = client.projects.find(external_id)
    if project is None:
        try:
            project = client.projects.create(project_name(name), external_id=external_id)
        except Conflict:
            # Another request of the same tenant has just created it.
            project = client.projects.find(external_id)
            if project is None:
                raise
    return project.id


def _listed(projects: Sequence[Project]) -> str:
    if not projects:
        return "It can access none."
    names = [f"{project.display_name} ({project.id})" for project in projects[:_MAX_LISTED]]
    more = len(projects) - len(names)
    return f"It can access: {', '.join(names)}{f' and {more} more' if more else ''}."
