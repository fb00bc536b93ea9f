"""Projects: where connections, flows and runs live. A host has one for each of its tenants."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import InvalidInput
from ..errors import Conflict, ResourceNotFound, ServerError, UnexpectedResponse
from ..wire import segment
from .resource import ALL, Resource, given

#: Activepieces refuses a name with a dot or a slash, and with it every domain name.
_NOT_IN_NAMES = re.compile(r"[./]")
#: PostgreSQL's unique_violation: how Activepieces says that an external id is taken.
_TAKEN = "23505"


@dataclass(frozen=True, kw_only=True)
class Project:
    """One project; ``external_id`` is the host's own name for it, unique on the platform."""

    id: str
    display_name: str
    platform_id: str
    owner_id: str
    #: ``TEAM``, or ``PERSONAL``: made for a user, and not to be deleted.
    type: str
    external_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    created: str
    updated: str


def project_name(text: str) -> str:
    """The text as Activepieces takes it for a project's name: ``acme.com`` becomes ``acme com``."""
    return " ".join(_NOT_IN_NAMES.sub(" ", text).split()) or "Project"


class Projects(Resource):
    """``client.projects``"""

    def list(self, *, display_name: str | None = None) -> Sequence[Project]:
        """The projects that the credential may see: all of the platform, or those of the user."""
        return self._found("projects.list", displayName=display_name)

    def get(self, project_id: str) -> Project:
        """One project by Activepieces' id."""
        return self._one(Project, "projects.get", "GET", f"/projects/{segment(project_id)}")

    def find(self, external_id: str) -> Project | None:
        """The project with exactly this external id; None when there is none."""
        if not external_id:
            raise InvalidInput({"external_id": "is required"})
        found = self._found("projects.find", externalId=external_id)
        # A server that did not know the filter would answer with all projects.
        return next((project for project in found if project.external_id == external_id), None)

    def create(
        self,
        display_name: str,
        *,
        external_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Project:
        """A new project; `Conflict` when the external id is taken."""
        _check_name(display_name)
        body = given(displayName=display_name, externalId=external_id, metadata=metadata)
        return self._write("projects.create", "/projects", body)

    def update(
        self,
        project_id: str,
        *,
        display_name: str | None = None,
        external_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Project:
        """The project with what is given changed; metadata are replaced as a whole."""
        if display_name is not None:
            _check_name(display_name)
        body = given(displayName=display_name, externalId=external_id, metadata=metadata)
        path = f"/projects/{segment(project_id)}"
        return self._write("projects.update", path, body, repeatable=True)

    def delete(self, project_id: str) -> None:
        """Delete the project and all that is in it; `Conflict` for a personal one."""
        self._transport.call("projects.delete", "DELETE", f"/projects/{segment(project_id)}")

    def _found(self, operation: str, **filters: str | None) -> Sequence[Project]:
        try:
            return self._all(Project, operation, "/projects", **filters, limit=ALL)
        except ResourceNotFound as error:
            # Every Activepieces has this list: what does not know it is another service that speaks JSON.
            detail = "what answers there does not know of projects"
            raise UnexpectedResponse(operation, status=error.status, detail=detail) from error

    def _write(
        self, operation: str, path: str, body: Mapping[str, Any], *, repeatable: bool = False
    ) -> Project:
        try:
            return self._one(Project, operation, "POST", path, body=body, repeatable=repeatable)
        except ServerError as fault:
            # Seen on 0.78.2 and 0.85.2 servers: an external id that is taken is 500, not 409.
            if fault.code != _TAKEN:
                raise
            detail = "another project has this external id"
            raise Conflict(
                operation, status=fault.status, code=fault.code, detail=detail
            ) from fault


def _check_name(display_name: str) -> None:
    if not display_name or _NOT_IN_NAMES.search(display_name):
        raise InvalidInput({"display_name": "is required, without a dot and without a slash"})
