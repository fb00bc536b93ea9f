"""What an admin gives to link a tenant with Activepieces, and whether Activepieces takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..client.errors import BadCredential, NoSuchRoute, NoSuchThing, NotActivepieces, NotAllowed
from ..config import Settings
from ..errors import InvalidInput, SetupError
from . import projects
from .credentials import Credential, Credentials
from .gateways import Gateways

if TYPE_CHECKING:
    from ..client.projects import Project


@dataclass(frozen=True, kw_only=True)
class Setup:
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
        return projects.external_id_of(self.tenant_id, self.organization_id)


class Verifier:
    """Asks Activepieces before anything is saved; holds no database connection."""

    def __init__(self, settings: Settings, gateways: Gateways) -> None:
        self._project_id = settings.project_id
        self._gateways = gateways

    def project_for(
        self,
        place: Place,
        credentials: Credentials,
        *,
        wanted: str | None,
        current: str | None,
    ) -> str:
        """The project, after every credential was accepted; `InvalidInput` names the field to blame."""
        if not credentials:
            return self._assigned(place, wanted)
        seen: list[Project] | None = None
        for name, credential in credentials.all().items():
            visible = self._visible(place, name, credential)
            seen = [project for project in visible if seen is None or project in seen]
        return projects.choose(
            seen or (), wanted=wanted, current=current, external_id=place.external_id
        )

    def _visible(self, place: Place, name: str, credential: Credential) -> Sequence[Project]:
        """The projects that a credential sees: the cheapest call that no stranger can make."""
        url = place.base_url or self._gateways.base_urls.configured
        try:
            return self._gateways.connected(url, credential).projects.list()
        except (BadCredential, NotAllowed) as error:
            raise InvalidInput({name: "Activepieces does not accept it"}) from error
        except (NotActivepieces, NoSuchRoute) as error:
            if place.base_url is None:
                raise
            raise InvalidInput({"baseUrl": "what answers there is not Activepieces"}) from error

    def _assigned(self, place: Place, wanted: str | None) -> str:
        """The project on the app's own key, which is for the app and not for the tenant to choose."""
        key = self._gateways.fallback()
        if key is None:
            raise InvalidInput({"apiKey": "give an API key, a user token, or e-mail and password"})
        if place.base_url is not None:
            # The app's key is for the server that the app is configured for, and for no other.
            raise InvalidInput({"apiKey": "another server needs a key of its own"})
        if wanted is not None:
            raise InvalidInput({"projectId": "it can be chosen only with a key of one's own"})
        client = self._gateways.connected(self._gateways.base_urls.configured, key)
        if self._project_id is None:
            return projects.assigned(client, external_id=place.external_id, name=place.external_id)
        try:
            return client.projects.get(self._project_id).id
        except NoSuchThing as error:
            raise SetupError("ACTIVEPIECES_PROJECT_ID is no project of this platform.") from error
