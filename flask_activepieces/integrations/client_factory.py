"""The way from an integration to Activepieces: the right server, the right key, and only where both are allowed.

Every call goes through here. No database connection is held while one is under way: ours are given back after each
look-up, and that of the host's own session is let go before a client is handed out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from ..api_client import capabilities
from ..api_client.credentials import ApiKey, Credential
from ..api_client.errors import CredentialNotSupported
from ..config.settings import Settings
from ..errors import IntegrationDisabled
from ..storage.database import Database
from .embedded_users import EmbeddedUsers
from .setup.base_urls import BaseUrls
from .setup.credential_store import CredentialStore
from .setup.credentials import Credentials
from .store import Integration

if TYPE_CHECKING:
    from ..api_client import ConnectionPool
    from ..api_client.client import ActivepiecesClient

#: Makes the client for a server and a credential; a seam for tests.
MakeClient = Callable[[str, Credential], "ActivepiecesClient"]

#: What the app's own key may be used for in a project that is one tenant's alone. That key opens every project of the
#: platform, so a call is here only if it names the project, and what it finds is looked at before it is shown.
_IN_OWN_PROJECT = {
    "connections.list",
    "connections.upsert",
    "connections.update",
    "connections.delete",
    "connections.list_owners",
    "flows.list",
    "flows.get",
    "flow_runs.list",
    "flow_runs.get",
    "pieces.list",
    "pieces.get",
    "projects.get",
    "server.info",
}
#: What no API key may do, so that a user of the tenant's project does it, for whom the app vouches.
_BY_A_SIGNED_USER = {"mcp.get", "mcp.update", "mcp.rotate_token"}
#: In a project that tenants share, flows, runs and people are other tenants' too; a connection says whose it is.
_IN_SHARED_PROJECT = {
    "connections.list",
    "connections.upsert",
    "connections.update",
    "connections.delete",
    "pieces.list",
    "pieces.get",
    "server.info",
}


class ClientFactory:
    """Makes clients for the integrations of one app."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        credential_store: CredentialStore,
        *,
        release: Callable[[], None],
        make_client: MakeClient | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._credential_store = credential_store
        self.base_urls = BaseUrls(settings)
        self._signed_users = EmbeddedUsers(settings)
        self._release = release
        self._make_client: MakeClient = make_client or Clients(settings)

    def client_for(self, integration: Integration, operation: str) -> ActivepiecesClient:
        """A client that may make this call; else `IntegrationDisabled` or `CredentialNotSupported`."""
        self._release()
        if not integration.enabled:
            raise IntegrationDisabled(integration.id, "an administrator switched it off")
        base_url = self.base_urls.of(integration.id, integration.base_url)
        return self.client_with(base_url, self._credential(integration, operation))

    def client_with(self, base_url: str, credential: Credential) -> ActivepiecesClient:
        """A client for a server and a credential."""
        self._release()
        return self._make_client(base_url, credential)

    def shares_project(self, integration: Integration) -> bool:
        """Whether other tenants' things are in the same project."""
        # As it was set up: without the setting, the project is still the same. And what was one tenant's own may have
        # become the one of all.
        is_everybodys = integration.project_id == self._settings.project_id
        return integration.shares_project or (is_everybodys and not integration.has_credentials)

    def app_api_key(self) -> ApiKey | None:
        """The app's own key, for tenants that bring none."""
        return ApiKey(self._settings.api_key) if self._settings.api_key else None

    def _credential(self, integration: Integration, operation: str) -> Credential:
        credentials = self._database.read(
            lambda connection: self._credential_store.credentials(connection, integration)
        )
        if credentials is not None:
            return able_to(operation, credentials)
        key = self.app_api_key()
        if key is None:
            raise IntegrationDisabled(
                integration.id, "it has no key, and ACTIVEPIECES_API_KEY is not set"
            )
        shared = self.shares_project(integration)
        if operation in _BY_A_SIGNED_USER and not shared:
            return self._signed_users.of(integration, operation)
        _check_key_of_app(operation, key, shared=shared)
        return key


def _check_key_of_app(operation: str, key: ApiKey, *, shared: bool) -> None:
    capabilities.check_supported(operation, key, None)
    if operation not in (_IN_SHARED_PROJECT if shared else _IN_OWN_PROJECT):
        raise CredentialNotSupported(
            operation,
            credential="the app's own key",
            detail="it would show what belongs to other tenants",
            remedy="Set this integration up with a key of its own.",
        )


def able_to(operation: str, credentials: Credentials) -> Credential:
    """The one of the credentials that may make the call, the key before the user."""
    refusal: CredentialNotSupported | None = None
    for credential in credentials.all().values():
        try:
            capabilities.check_supported(operation, credential, None)
        except CredentialNotSupported as error:
            refusal = error
        else:
            return credential
    assert refusal is not None, "an integration with no credential at all"
    raise refusal


class Clients:
    """Clients that share one pool of connections; loaded by the first call, since requests is slow to load."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.timeout

    def __call__(self, base_url: str, credential: Credential) -> ActivepiecesClient:
        """A client for this server."""
        from ..api_client import Timeout
        from ..api_client.client import ActivepiecesClient

        # One waiting for an answer, and some for the connection and for a repetition that is safe.
        timeout = Timeout(connect=5, read=self._seconds, total=self._seconds + 10)
        return ActivepiecesClient(base_url, credential=credential, timeout=timeout, pool=self._http)

    @cached_property
    def _http(self) -> ConnectionPool:
        from ..api_client import ConnectionPool

        return ConnectionPool()
