"""Which Activepieces servers may be called: a tenant must not point this app at an internal address.

A URL is normalized first, so that letter case, default ports, escapes and unusual spellings of an address make no
difference; then it must be the configured server, or be equal to or below one that the operator listed. Nothing is
resolved: the operator vouches for the names in the list.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ...api_client.wire import api_root
from ...config.settings import Settings
from ...config.urls import server_url
from ...errors import IntegrationDisabled, InvalidInput
from ..store import Integration


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
            raise InvalidInput({"baseUrl": f"Invalid URL: {error}."}) from None
        if api_root(url) == api_root(self.configured):
            return None
        if not self._is_allowed(url):
            raise InvalidInput({"baseUrl": "This server is not allowed. Ask the operator of this app to allow it."})
        return url

    def for_integration(self, integration: Integration) -> str:
        """The URL to call for an integration; `IntegrationDisabled` if it is no longer allowed."""
        if integration.base_url is None:
            return self.configured
        if not self._is_allowed(integration.base_url):
            raise IntegrationDisabled(integration.id, "its server is no longer allowed")
        return integration.base_url

    def _is_allowed(self, url: str) -> bool:
        return any(_is_at_or_below(url, allowed) for allowed in self._allowed)


def site_url(base_url: str) -> str:
    """The address of the server's pages, without the path of its API."""
    return base_url.removesuffix("/v1").removesuffix("/api")


def _is_at_or_below(url: str, allowed: str) -> bool:
    requested, listed = urlsplit(url), urlsplit(allowed)
    same_server = (requested.scheme, requested.netloc) == (listed.scheme, listed.netloc)
    return same_server and f"{requested.path}/".startswith(f"{listed.path}/")
