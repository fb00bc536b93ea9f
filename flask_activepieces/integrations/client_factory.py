"""Makes the client for a call to Activepieces: for the right server, with a credential that may make the call.

All calls for tenants go through here. They hold no database connection: the query of an integration returns its own
and that of the host's session before a client is handed out.

A tenant must not point this app at an internal address. So a URL is normalized first, so that letter case, default
ports, escapes and unusual spellings of an address make no difference; then it must be the configured server, or be
equal to or below one that the operator listed. Nothing is resolved: the operator vouches for the names in the list.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from ..api_client import capabilities
from ..api_client.client import ActivepiecesClient
from ..api_client.connection_pool import ConnectionPool
from ..api_client.credentials import ApiKey, Credential, SignedEmbedding
from ..api_client.embedding_token import EmbeddedUser
from ..api_client.errors import CredentialNotSupported
from ..api_client.wire import Timeout, api_root
from ..config.settings import Settings
from ..config.urls import server_url
from ..errors import IntegrationDisabled, InvalidInput
from ..messages import Message
from ..storage.database import Database
from . import store
from .credentials import Credentials, CredentialStore
from .embedding.users import service_user_id
from .store import Integration, project_external_id

log = logging.getLogger(__name__)

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
    "flows.apply",
    "flows.enable",
    "flows.disable",
    "flow_runs.list",
    "flow_runs.get",
    "flow_runs.retry",
    "projects.get",
}
#: What Activepieces allows no API key to do: a user of the tenant's project does it, for whom the app signs.
_SIGNED_USER_OPERATIONS = {"connections.replace", "mcp.get", "mcp.update", "mcp.rotate_token", "agent_tools.check"}
#: The least of Activepieces' roles that may manage MCP; it cannot invite people.
_ROLE = "Editor"


class BaseUrls:
    """The servers that an app may call."""

    def __init__(self, settings: Settings) -> None:
        self.configured = settings.base_url
        self._allowed = settings.allowed_base_urls

    def normalize(self, base_url: str) -> str | None:
        """The URL to store, None for the configured server; `InvalidInput` if it may not be called."""
        try:
            url = server_url(base_url.strip())
        except ValueError as error:
            raise InvalidInput({"baseUrl": Message("Invalid URL: %(problem)s.", problem=error)}) from None
        if api_root(url) == api_root(self.configured):
            return None
        if not self.is_allowed(url):
            raise InvalidInput(
                {"baseUrl": Message("This server is not allowed. Ask the operator of this app to allow it.")}
            )
        return url

    def for_integration(self, integration: Integration) -> str:
        """The URL to call for an integration; `IntegrationDisabled` if it is no longer allowed."""
        if integration.base_url is None:
            return self.configured
        if not self.is_allowed(integration.base_url):
            raise IntegrationDisabled(integration.id, "its server is no longer allowed")
        return integration.base_url

    def is_allowed(self, url: str) -> bool:
        """Whether the app may call this server besides the configured one."""
        return any(_is_at_or_below(url, allowed) for allowed in self._allowed)


class ClientFactory:
    """Makes clients for the integrations of one app."""

    def __init__(
        self, settings: Settings, database: Database, credential_store: CredentialStore, make_client: MakeClient
    ) -> None:
        self.base_urls = BaseUrls(settings)
        #: For tenants without their own key.
        self.app_api_key = ApiKey(settings.api_key) if settings.api_key else None
        self.client_with = make_client
        self._settings = settings
        self._database = database
        self._credential_store = credential_store

    def client_for(self, integration: Integration, operation: str) -> ActivepiecesClient:
        """A client that may make this call; else `IntegrationDisabled` or `CredentialNotSupported`."""
        current = self._database.read(lambda conn: store.reload(conn, integration))
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
            return self._signed_user(integration, operation)
        capabilities.check_supported(operation, self.app_api_key, None)
        if operation not in (_SHARED_PROJECT_OPERATIONS if shared else _APP_KEY_OPERATIONS):
            raise app_key_not_supported(
                operation,
                detail="it would show what belongs to other tenants",
                remedy="Set this integration up with a key of its own.",
            )
        return self.app_api_key

    def _signed_user(self, integration: Integration, operation: str) -> SignedEmbedding:
        """A user for this integration only, who is a member of its project only.

        The session of such a user covers all projects that they were ever signed in to.
        """
        if self._settings.signing_key is None or self._settings.signing_key_id is None:
            log.warning("ACTIVEPIECES_SIGNING_KEY or ACTIVEPIECES_SIGNING_KEY_ID is not set")
            raise app_key_not_supported(
                operation,
                detail="Activepieces lets no API key do this",
                remedy=(
                    "Ask the operator of this app to set up a signing key,"
                    " or set this integration up with a user of its own."
                ),
            )
        # The project was found or created by this id when the integration was set up.
        project = project_external_id(integration.tenant_id, integration.organization_id)
        user = EmbeddedUser(
            external_user_id=service_user_id(integration.id),
            external_project_id=project,
            first_name="Integration",
            last_name=project,
            role=_ROLE,
            # Each sign-in assigns the project's piece set, the default one if this is None.
            piece_set=self._settings.piece_set,
        )
        return SignedEmbedding(self._settings.signing_key, self._settings.signing_key_id, user)


def app_key_not_supported(operation: str, *, detail: str, remedy: str) -> CredentialNotSupported:
    """The error for a call that the app's own key may not make."""
    return CredentialNotSupported(operation, credential="the app's own key", detail=detail, remedy=remedy)


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


def site_url(base_url: str) -> str:
    """The address of the server's pages, without the path of its API."""
    return base_url.removesuffix("/v1").removesuffix("/api")


def _is_at_or_below(url: str, allowed: str) -> bool:
    requested, listed = urlsplit(url), urlsplit(allowed)
    same_server = (requested.scheme, requested.netloc) == (listed.scheme, listed.netloc)
    return same_server and f"{requested.path}/".startswith(f"{listed.path}/")
