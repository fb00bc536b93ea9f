"""What an admin gives to link a tenant with Activepieces, and whether Activepieces takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...api_client.errors import (
    AuthenticationFailed,
    PermissionDenied,
    ResourceNotFound,
    RouteNotFound,
    UnexpectedResponse,
)
from ...config.settings import Settings
from ...errors import InvalidInput, SetupError
from .. import projects
from ..client_factory import ClientFactory
from ..store import project_external_id
from .credentials import Credential, Credentials

if TYPE_CHECKING:
    from ...api_client.resources.projects import Project


@dataclass(frozen=True, kw_only=True)
class SetupRequest:
    """What an admin gives; what is left out stays as it is, or is found."""

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
        """The part of it that opens doors."""
        return Credentials(
            api_key=self.api_key,
            user_token=self.user_token,
            email=self.email,
            password=self.password,
        )


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whose integration it is, and on which server; None is the server that the app is configured for."""

    tenant_id: str
    organization_id: str | None
    base_url: str | None

    @property
    def external_id(self) -> str:
        """By which id a project of this tenant, or organization, is known."""
        return project_external_id(self.tenant_id, self.organization_id)


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The project of an integration, and whether other tenants have the same."""

    project_id: str
    shares_project: bool = False


class SetupVerifier:
    """Asks Activepieces before anything is saved; holds no database connection."""

    def __init__(self, settings: Settings, client_factory: ClientFactory) -> None:
        self._project_id = settings.project_id
        self._client_factory = client_factory

    def assignment(
        self,
        place: Place,
        *,
        given: Credentials,
        kept: Credentials,
        wanted: str | None,
        current: str | None,
    ) -> Assignment:
        """The project, after everything that was given was accepted; `InvalidInput` names the field to blame.

        What is kept is asked only when nothing is given: a user token that has ended must not stand in the way of
        the one that replaces it, or of a key.
        """
        if given:
            seen = self._seen_by_all(place, given)
        elif kept:
            seen = self._seen_by_those_that_work(place, kept)
        else:
            return self._assigned(place, wanted)
        project_id = projects.choose(
            seen, wanted=wanted, current=current, external_id=place.external_id
        )
        return Assignment(project_id=project_id)

    def _seen_by_all(self, place: Place, credentials: Credentials) -> Sequence[Project]:
        asked = credentials.all().items()
        return _common([self._visible(place, name, credential) for name, credential in asked])

    def _seen_by_those_that_work(self, place: Place, credentials: Credentials) -> Sequence[Project]:
        found: list[Sequence[Project]] = []
        refusals: list[InvalidInput] = []
        for name, credential in credentials.all().items():
            try:
                found.append(self._visible(place, name, credential))
            except InvalidInput as error:
                refusals.append(error)
        if not found:
            raise refusals[0]
        return _common(found)

    def _visible(self, place: Place, name: str, credential: Credential) -> Sequence[Project]:
        """The projects that a credential sees: the cheapest call that no stranger can make."""
        url = place.base_url or self._client_factory.base_urls.configured
        try:
            return self._client_factory.client_with(url, credential).projects.list()
        except (AuthenticationFailed, PermissionDenied) as error:
            raise InvalidInput({name: "Activepieces does not accept it"}) from error
        except (UnexpectedResponse, RouteNotFound, ResourceNotFound) as error:
            # Nothing was named that Activepieces could miss: a 404 comes from another service that speaks JSON.
            wrong = "what answers there is not Activepieces"
            if place.base_url is not None:
                raise InvalidInput({"baseUrl": wrong}) from error
            if isinstance(error, ResourceNotFound):
                raise UnexpectedResponse(
                    error.operation, status=error.status, detail=wrong
                ) from error
            raise

    def _assigned(self, place: Place, wanted: str | None) -> Assignment:
        """The project on the app's own key, which is for the app and not for the tenant to choose."""
        key = self._client_factory.app_api_key()
        if key is None:
            raise InvalidInput({"apiKey": "give an API key, a user token, or e-mail and password"})
        if place.base_url is not None:
            # The app's key is for the server that the app is configured for, and for no other.
            raise InvalidInput({"apiKey": "another server needs a key of its own"})
        if wanted is not None:
            raise InvalidInput({"projectId": "it can be chosen only with a key of one's own"})
        client = self._client_factory.client_with(self._client_factory.base_urls.configured, key)
        if self._project_id is None:
            external_id = place.external_id
            found = projects.assigned(client, external_id=external_id, name=external_id)
            return Assignment(project_id=found)
        try:
            shared = client.projects.get(self._project_id)
        except ResourceNotFound as error:
            raise SetupError("ACTIVEPIECES_PROJECT_ID is no project of this platform.") from error
        return Assignment(project_id=shared.id, shares_project=True)


def _common(lists: Sequence[Sequence[Project]]) -> Sequence[Project]:
    """The projects that are in all lists, as the first shows them: what they count may differ."""
    first, *others = lists
    ids = [{project.id for project in other} for other in others]
    return [project for project in first if all(project.id in seen for seen in ids)]
