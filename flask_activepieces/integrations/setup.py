"""Verifies a setup with Activepieces before anything is saved. No database connection is held meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ..api_client.client import ActivepiecesClient
from ..api_client.credentials import Credential
from ..api_client.errors import (
    AuthenticationFailed,
    Conflict,
    PermissionDenied,
    ResourceNotFound,
    RouteNotFound,
    UnexpectedResponse,
)
from ..api_client.resources.projects import Project, project_name
from ..errors import IntegrationDisabled, InvalidInput, SetupError
from ..messages import Message
from .credentials import Credentials
from .dependencies import Dependencies
from .store import Integration, project_external_id

#: How many projects an error lists.
_MAX_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class SetupRequest:
    """The setup of an integration. What is left out stays as it is, or is looked up."""

    tenant_id: str
    organization_id: str | None = None
    api_key: str | None = field(default=None, repr=False)
    user_token: str | None = field(default=None, repr=False)
    email: str | None = None
    password: str | None = field(default=None, repr=False)
    project_id: str | None = None
    base_url: str | None = None

    @property
    def credentials(self) -> Credentials:
        """The new credentials."""
        return Credentials(api_key=self.api_key, user_token=self.user_token, email=self.email, password=self.password)


@dataclass(frozen=True, kw_only=True)
class VerifiedSetup:
    """What to save, once Activepieces has accepted it."""

    base_url: str | None
    #: None: the project stays.
    project_id: str | None = None
    shares_project: bool = False
    #: None: the credentials stay.
    credentials: Credentials | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SetupVerifier:
    """Asks Activepieces whether it accepts the credentials, and which project they are for."""

    deps: Dependencies

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
            base_url = self.deps.client_factory.base_urls.normalize(request.base_url)
        stored = self._stored(current, base_url, replaceable=bool(new)).without(removed)
        same_server = current is not None and base_url == current.base_url
        credentials = None if same_server and not (new or removed) else stored.updated_with(new)
        if removed and stored and not new and request.project_id is None:
            # Activepieces need not be asked as long as other credentials are left.
            return VerifiedSetup(base_url=base_url, credentials=credentials)
        if not new and not stored:
            project_id = self._app_key_project(request, base_url)
            shares_project = self.deps.settings.project_id is not None
        else:
            # Stored ones are not tried if there are new ones: an expired user token must not block its replacement.
            visible = self._common_projects(base_url, new or stored, all_must_work=bool(new))
            project_id = _choose_project(
                visible,
                requested=request.project_id,
                current=current.project_id if current else None,
                external_id=project_external_id(request.tenant_id, request.organization_id),
            )
            shares_project = False
        return VerifiedSetup(
            base_url=base_url, project_id=project_id, shares_project=shares_project, credentials=credentials
        )

    def accessible_projects(self, request: SetupRequest) -> Sequence[Project]:
        """The projects that the new credentials can access; `InvalidInput` names the field that is wrong."""
        request.credentials.validate()
        base_url = None
        if request.base_url is not None:
            base_url = self.deps.client_factory.base_urls.normalize(request.base_url)
        return self._common_projects(base_url, request.credentials, all_must_work=True)

    def _stored(self, current: Integration | None, base_url: str | None, *, replaceable: bool) -> Credentials:
        """The stored credentials for this server: those of one server are never sent to another."""
        if current is None or current.base_url != base_url:
            return Credentials()
        try:
            return self.deps.credential_store.credentials(current) or Credentials()
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
        url = base_url or self.deps.client_factory.base_urls.configured
        try:
            return self.deps.client_factory.client_with(url, credential).projects.list()
        except (AuthenticationFailed, PermissionDenied) as error:
            raise InvalidInput({name: Message("Activepieces does not accept it.")}) from error
        except (UnexpectedResponse, RouteNotFound, ResourceNotFound) as error:
            # The call names nothing that could be missing, so a 404 comes from another service with a JSON API.
            wrong = Message("This server is not Activepieces.")
            if base_url is not None:
                raise InvalidInput({"baseUrl": wrong}) from error
            if isinstance(error, ResourceNotFound):
                raise UnexpectedResponse(error.operation, status=error.status, detail=wrong) from error
            raise

    def _app_key_project(self, request: SetupRequest, base_url: str | None) -> str:
        """The project on the app's own key, which the app chooses and not the tenant."""
        key = self.deps.client_factory.app_api_key
        if key is None:
            raise InvalidInput({"apiKey": Message("An API key, a user token, or email and password are required.")})
        if base_url is not None:
            # The app's key is for the server in the app's settings only.
            raise InvalidInput({"apiKey": Message("Another server requires its own key.")})
        if request.project_id is not None:
            raise InvalidInput({"projectId": Message("A project can only be chosen with the tenant's own key.")})
        client = self.deps.client_factory.client_with(self.deps.client_factory.base_urls.configured, key)
        if self.deps.settings.project_id is None:
            external_id = project_external_id(request.tenant_id, request.organization_id)
            return _find_or_create_project(client, external_id)
        try:
            return client.projects.get(self.deps.settings.project_id).id
        except ResourceNotFound as error:
            raise SetupError("ACTIVEPIECES_PROJECT_ID does not name a project of this platform.") from error


def _choose_project(
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


def _find_or_create_project(client: ActivepiecesClient, external_id: str) -> str:
    project = client.projects.find(external_id)
    if project is None:
        try:
            project = client.projects.create(project_name(external_id), external_id=external_id)
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
