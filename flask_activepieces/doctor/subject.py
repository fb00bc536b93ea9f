"""What the checks look at: the app, its integrations, and the Activepieces servers that they use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from flask import Flask
from flask.ctx import RequestContext

from ..api_client.client import ActivepiecesClient
from ..api_client.credentials import ApiKey
from ..api_client.errors import ApiError
from ..api_client.resources.server import ServerInfo
from ..config.urls import is_loopback
from ..integrations.client_factory import ClientFactory
from ..integrations.credentials import CredentialStore
from ..integrations.store import Integration
from ..state import State, get_state

#: For calls to which no credential is sent.
_NO_KEY = ApiKey("none")


def request_to(app: Flask) -> RequestContext:
    """A request for a host that the app trusts: for any other one, Flask builds no URL."""
    trusted = app.config["TRUSTED_HOSTS"]
    return app.test_request_context(headers={"Host": trusted[0].lstrip(".")} if trusted else None)


@dataclass(frozen=True, kw_only=True)
class UsedServer:
    """An Activepieces server, and what it says of itself; ``error`` if it does not answer."""

    url: str
    info: ServerInfo | None = None
    error: ApiError | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether it runs on this machine, as in development."""
        return is_loopback(urlsplit(self.url).hostname or "")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One app; with a ``tenant_id``, of all tenants only this one."""

    app: Flask
    tenant_id: str | None = None

    @cached_property
    def state(self) -> State:
        """The services of the app."""
        return get_state(self.app)

    @property
    def client_factory(self) -> ClientFactory:
        """Makes API clients for integrations."""
        return self.state.tenants.integrations.deps.client_factory

    @property
    def credential_store(self) -> CredentialStore:
        """Decrypts the credentials of integrations."""
        return self.state.tenants.integrations.deps.credential_store

    @cached_property
    def integrations(self) -> Sequence[Integration]:
        """The enabled integrations."""
        service = self.state.tenants.integrations
        found = service.list_all() if self.tenant_id is None else service.list_for_tenant(self.tenant_id)
        return [integration for integration in found if integration.enabled]

    def url_of(self, integration: Integration) -> str:
        """The URL of its server, whether it is allowed or not."""
        return integration.base_url or self.state.settings.base_url

    @cached_property
    def server_urls(self) -> Sequence[str]:
        """The servers that the integrations use; the configured one also if the app has a key for it."""
        urls = [self.state.settings.base_url] if self.state.settings.api_key else []
        # A server that is no longer allowed is not called.
        used = [self.url_of(each) for each in self.integrations if self.is_server_allowed(each)]
        return list(dict.fromkeys([*urls, *used]))

    def is_server_allowed(self, integration: Integration) -> bool:
        """Whether the app may call the server of the integration."""
        return integration.base_url is None or self.client_factory.base_urls.is_allowed(integration.base_url)

    @cached_property
    def servers(self) -> Sequence[UsedServer]:
        """The servers, each asked once."""
        return [self._ask(url) for url in self.server_urls]

    def integrations_on(self, server: UsedServer) -> Sequence[Integration]:
        """The integrations that use this server."""
        return [each for each in self.integrations if self.url_of(each) == server.url]

    def anonymous_client(self, url: str) -> ActivepiecesClient:
        """A client for calls that need no credential."""
        return self.client_factory.client_with(url, _NO_KEY)

    def _ask(self, url: str) -> UsedServer:
        try:
            return UsedServer(url=url, info=self.anonymous_client(url).server.info())
        except ApiError as error:
            return UsedServer(url=url, error=error)
