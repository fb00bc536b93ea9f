"""Projects, which contain connections, flows and runs. A host has one for each of its tenants."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import InvalidInput
from ..errors import Conflict, ResourceNotFound, ServerError, UnexpectedResponse
from .resource import NO_LIMIT, Record, Resource

#: Activepieces rejects names with a dot or a slash, so a domain name is not allowed.
_FORBIDDEN_IN_NAMES = re.compile(r"[./]")
#: PostgreSQL's unique_violation, which Activepieces passes on if an external id is taken.
_UNIQUE_VIOLATION = "23505"


@dataclass(frozen=True, kw_only=True)
class Project(Record):
    """A project; ``external_id`` is the host's id for it, unique on the platform."""

    display_name: str
    platform_id: str
    owner_id: str
    #: ``TEAM``, or ``PERSONAL`` for the project of a user, which cannot be deleted.
    type: str
    external_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def project_name(name: str) -> str:
    """A valid project name: ``acme.com`` becomes ``acme com``."""
    return " ".join(_FORBIDDEN_IN_NAMES.sub(" ", name).split()) or "Project"


class Projects(Resource):
    """``client.projects``"""

    def list(self, *, display_name: str | None = None) -> Sequence[Project]:
        """The projects that the credential can access: all of the platform, or those of the user."""
        return self._search("projects.list", displayName=display_name)

    def get(self, project_id: str) -> Project:
        """The project with this id of Activepieces."""
        return self._get(Project, "projects.get", "/projects", project_id)

    def find(self, external_id: str) -> Project | None:
        """The project with this external id, or None."""
        if not external_id:
            raise InvalidInput({"external_id": "is required"})
        projects = self._search("projects.find", externalId=external_id)
        # A server without this filter would return all projects.
        return next((each for each in projects if each.external_id == external_id), None)

    def create(
        self, display_name: str, *, external_id: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Project:
        """Create a project; `Conflict` if the external id is taken."""
        body = {"displayName": display_name, "externalId": external_id, "metadata": metadata}
        return self._save("projects.create", "/projects", body=body)

    def update(
        self,
        project_id: str,
        *,
        display_name: str | None = None,
        external_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Project:
        """Change the project; new metadata replace the old."""
        body = {"displayName": display_name, "externalId": external_id, "metadata": metadata}
        return self._save("projects.update", "/projects", project_id, body=body, idempotent=True)

    def delete(self, project_id: str) -> None:
        """Delete the project with its contents; `Conflict` for a personal project."""
        self._delete("projects.delete", "/projects", project_id)

    def _search(self, operation: str, **filters: str | None) -> Sequence[Project]:
        try:
            return self._list(Project, operation, "/projects", query={**filters, "limit": NO_LIMIT})
        except ResourceNotFound as error:
            # Every Activepieces has this list, so another JSON service has answered.
            detail = "the server does not have projects"
            raise UnexpectedResponse(operation, status=error.status, detail=detail) from error

    def _save(self, operation: str, *path: str, body: Mapping[str, Any], idempotent: bool = False) -> Project:
        name = body["displayName"]
        if name is not None and (not name or _FORBIDDEN_IN_NAMES.search(name)):
            raise InvalidInput({"display_name": "is required, without dots and slashes"})
        try:
            return self._post(Project, operation, *path, body=body, idempotent=idempotent)
        except ServerError as error:
            # Seen on 0.78.2 and 0.85.2 servers: an external id that is taken is 500, not 409.
            if error.code != _UNIQUE_VIOLATION:
                raise
            detail = "another project has this external id"
            raise Conflict(operation, status=error.status, code=error.code, detail=detail) from error
