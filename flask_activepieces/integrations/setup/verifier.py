"""Verifies a setup with Activepieces before anything is saved. No database connection is held meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...api_client.credentials import Credential
from ...api_client.errors import (
    AuthenticationFailed,
    PermissionDenied,
    ResourceNotFound,
    RouteNotFound,
    UnexpectedResponse,
)
from ...api_client.resources.projects import Project
from ...config.settings import Settings
from ...errors import IntegrationDisabled, InvalidInput, SetupError
from .. import projects
from ..client_factory import ClientFactory
from ..store import Integration, project_external_id
from .credentials import Credentials, CredentialStore
from .request import SetupRequest, VerifiedSetup


@dataclass(frozen=True)
class SetupVerifier:
    """Asks Activepieces whether it accepts the credentials, and which project they are for."""

    settings: Settings
    client_factory: ClientFactory
    credential_store: CredentialStore

    def verify(
        self, request: SetupRequest, current: Integration | None, *, removed: Collection[str] = ()
    ) -> VerifiedSetup:
        """What to save for this request; `InvalidInput` names the field that is wrong.

        ``removed`` names the credentials to remove.
        """
        new = request.credentials
        new.validate()
        base_url = current.base_url if current else None
        if request.base_url is not None:
            base_url = self.client_factory.base_urls.normalize(request.base_url)
        stored = self._stored(current, base_url, replaceable=bool(new)).without(removed)
        same_server = current is not None and base_url == current.base_url
        credentials = None if same_server and not (new or removed) else stored.updated_with(new)
        if removed and stored and not new and request.project_id is None:
            # Activepieces need not be asked as long as other credentials are left.
            return VerifiedSetup(base_url=base_url, credentials=credentials)
        if not new and not stored:
            project_id = self._app_key_project(request, base_url)
            shares_project = self.settings.project_id is not None
        else:
            # Stored ones are not tried if there are new ones: an expired user token must not block its replacement.
            visible = self._common_projects(base_url, new or stored, all_must_work=bool(new))
            project_id = projects.choose_project(
                visible,
                requested=request.project_id,
                current=current.project_id if current else None,
                external_id=project_external_id(request.tenant_id, request.organization_id),
            )
            shares_project = False
        return VerifiedSetup(
            base_url=base_url, project_id=project_id, shares_project=shares_project, credentials=credentials
        )

    def _stored(self, current: Integration | None, base_url: str | None, *, replaceable: bool) -> Credentials:
        """The stored credentials for this server: those of one server are never sent to another."""
        if current is None or current.base_url != base_url:
            return Credentials()
        try:
            return self.credential_store.credentials(current) or Credentials()
        except IntegrationDisabled:
            if not replaceable:
                raise
            return Credentials()

    def _common_projects(
        self, base_url: str | None, credentials: Credentials, *, all_must_work: bool
    ) -> Sequence[Project]:
        """The projects that all of these credentials can access, or all of those that still work."""
        visible: list[Sequence[Project]] = []
        errors: list[InvalidInput] = []
        for name, credential in credentials.by_field().items():
            try:
                visible.append(self._visible_projects(base_url, name, credential))
            except InvalidInput as error:
                errors.append(error)
        if errors and (all_must_work or not visible):
            raise errors[0]
        first, *others = ({project.id: project for project in each} for each in visible)
        # Only ids are compared: each credential may see other fields.
        return [project for id, project in first.items() if all(id in each for each in others)]

    def _visible_projects(self, base_url: str | None, name: str, credential: Credential) -> Sequence[Project]:
        """The projects that a credential can access: the cheapest call that needs a valid one."""
        url = base_url or self.client_factory.base_urls.configured
        try:
            return self.client_factory.client_with(url, credential).projects.list()
        except (AuthenticationFailed, PermissionDenied) as error:
            raise InvalidInput({name: "Activepieces does not accept it."}) from error
        except (UnexpectedResponse, RouteNotFound, ResourceNotFound) as error:
            # The call names nothing that could be missing, so a 404 comes from another service with a JSON API.
            wrong = "This server is not Activepieces."
            if base_url is not None:
                raise InvalidInput({"baseUrl": wrong}) from error
            if isinstance(error, ResourceNotFound):
                raise UnexpectedResponse(error.operation, status=error.status, detail=wrong) from error
            raise

    def _app_key_project(self, request: SetupRequest, base_url: str | None) -> str:
        """The project on the app's own key, which the app chooses and not the tenant."""
        key = self.client_factory.app_api_key
        if key is None:
            raise InvalidInput({"apiKey": "An API key, a user token, or email and password are required."})
        if base_url is not None:
            # The app's key is for the server in the app's settings only.
            raise InvalidInput({"apiKey": "Another server requires its own key."})
        if request.project_id is not None:
            raise InvalidInput({"projectId": "A project can only be chosen with the tenant's own key."})
        client = self.client_factory.client_with(self.client_factory.base_urls.configured, key)
        if self.settings.project_id is None:
            external_id = project_external_id(request.tenant_id, request.organization_id)
            return projects.find_or_create(client, external_id=external_id, name=external_id)
        try:
            return client.projects.get(self.settings.project_id).id
        except ResourceNotFound as error:
            raise SetupError("ACTIVEPIECES_PROJECT_ID does not name a project of this platform.") from error
