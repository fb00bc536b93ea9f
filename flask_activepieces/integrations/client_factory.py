"""Makes the client for a call to Activepieces: for the right server, with a credential that may make the call.

All calls for tenants go through here. They hold no database connection: the query of an integration returns its own
and that of the host's session before a client is handed out.
"""

from __future__ import annotations

from collections.abc import Callable

from ..api_client import capabilities
from ..api_client.client import ActivepiecesClient
from ..api_client.connection_pool import ConnectionPool
from ..api_client.credentials import ApiKey, Credential
from ..api_client.errors import CredentialNotSupported
from ..api_client.wire import Timeout
from ..config.settings import Settings
from ..errors import IntegrationDisabled
from ..storage.database import Database
from . import store
from .embedded_users import signed_user
from .setup.base_urls import BaseUrls
from .setup.credentials import Credentials, CredentialStore
from .store import Integration

#: Makes the client for a server and a credential; tests replace it.
MakeClient = Callable[[str, Credential], ActivepiecesClient]

#: What the app's own key may do in a project that tenants share. That key can access all projects of the platform, so
#: these calls name the project, and their results are checked before they are shown.
_SHARED_PROJECT_OPERATIONS = {
    "connections.list",
    "connections.upsert",
    "connections.update",
    "connections.delete",
    "pieces.list",
    "pieces.get",
    "server.info",
}
#: What it may do in a tenant's own project, where flows, runs and people are not those of other tenants.
_APP_KEY_OPERATIONS = _SHARED_PROJECT_OPERATIONS | {
    "connections.list_owners",
    "flows.list",
    "flows.get",
    "flow_runs.list",
    "flow_runs.get",
    "projects.get",
}
#: What Activepieces allows no API key to do: a user of the tenant's project does it, for whom the app signs.
_SIGNED_USER_OPERATIONS = {"mcp.get", "mcp.update", "mcp.rotate_token"}


class ClientFactory:
    """Makes clients for the integrations of one app."""

    def __init__(
        self, settings: Settings, database: Database, credential_store: CredentialStore, make_client: MakeClient
    ) -> None:
        self.base_urls = BaseUrls(settings)
        #: For tenants without their own key.
        self.app_api_key = ApiKey(settings.api_key) if settings.api_key else None
        #: Makes a client for a server and a credential.
        self.client_with = make_client
        self._settings = settings
        self._database = database
        self._credential_store = credential_store

    def client_for(self, integration: Integration, operation: str) -> ActivepiecesClient:
        """A client that may make this call; else `IntegrationDisabled` or `CredentialNotSupported`."""
        current = self._database.read(lambda conn: store.get(conn, integration.id, tenant_id=integration.tenant_id))
        if not current.enabled:
            raise IntegrationDisabled(current.id, "an administrator disabled it")
        base_url = self.base_urls.for_integration(current)
        credentials = self._credential_store.credentials(current)
        if credentials is None:
            return self.client_with(base_url, self._app_credential(current, operation))
        return self.client_with(base_url, choose_credential(operation, credentials))

    def shares_project(self, integration: Integration) -> bool:
        """Whether other tenants use the same project."""
        # Not only as it was set up: ACTIVEPIECES_PROJECT_ID may have been set, changed or removed since.
        uses_shared_project = integration.project_id == self._settings.project_id
        return integration.shares_project or (uses_shared_project and not integration.has_credentials)

    def _app_credential(self, integration: Integration, operation: str) -> Credential:
        if self.app_api_key is None:
            raise IntegrationDisabled(integration.id, "it has no credentials, and this app has no default API key")
        shared = self.shares_project(integration)
        if operation in _SIGNED_USER_OPERATIONS and not shared:
            return signed_user(self._settings, integration, operation)
        capabilities.check_supported(operation, self.app_api_key, None)
        if operation not in (_SHARED_PROJECT_OPERATIONS if shared else _APP_KEY_OPERATIONS):
            raise CredentialNotSupported(
                operation,
                credential="the app's own key",
                detail="it would show what belongs to other tenants",
                remedy="Set this integration up with a key of its own.",
            )
        return self.app_api_key


def choose_credential(operation: str, credentials: Credentials) -> Credential:
    """The credential that may make the call, the key before the user."""
    error: CredentialNotSupported | None = None
    for credential in credentials.by_field().values():
        try:
            capabilities.check_supported(operation, credential, None)
        except CredentialNotSupported as not_supported:
            error = not_supported
        else:
            return credential
    assert error is not None, "an integration without credentials"
    raise error


def pooled_clients(settings: Settings) -> MakeClient:
    """Makes clients that share their connections."""
    pool = ConnectionPool()
    # The total covers one response, and some time to connect and to retry what is safe to retry.
    timeout = Timeout(connect=5, read=settings.timeout, total=settings.timeout + 10)
    return lambda base_url, credential: ActivepiecesClient(
        base_url, credential=credential, timeout=timeout, pool=pool
    )
