"""Which Activepieces servers may be called: a tenant must not point this app at an internal address.

A URL is brought into one spelling first (`config_urls.server_url`), so that letter case, default ports, escapes and
odd ways to write an address have nothing to play with; then it must be the configured server, or lie at or beneath
one that the operator listed. Nothing is looked up: a listed name is trusted as a name.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ...api_client.wire import api_root
from ...config.settings import Settings
from ...config.urls import server_url
from ...errors import IntegrationDisabled, InvalidInput


class BaseUrls:
    """The servers of one app's configuration."""

    def __init__(self, settings: Settings) -> None:
        self.configured = settings.base_url
        self._allowed = settings.allowed_base_urls

    def chosen(self, base_url: str) -> str | None:
        """The URL as it is stored, None for the configured server; `InvalidInput` if it may not be called."""
        try:
            url = server_url(base_url.strip())
        except ValueError as error:
            raise InvalidInput({"baseUrl": str(error)}) from None
        if api_root(url) == api_root(self.configured):
            return None
        if not self._is_allowed(url):
            raise InvalidInput(
                {"baseUrl": "this server is not among ACTIVEPIECES_ALLOWED_BASE_URLS"}
            )
        return url

    def of(self, integration_id: str, base_url: str | None) -> str:
        """The URL to call for an integration; `IntegrationDisabled` when it was allowed once, and is no more."""
        if base_url is None:
            return self.configured
        if not self._is_allowed(base_url):
            raise IntegrationDisabled(
                integration_id, "its server is no longer among ACTIVEPIECES_ALLOWED_BASE_URLS"
            )
        return base_url

    def _is_allowed(self, url: str) -> bool:
        return any(_is_at_or_beneath(url, allowed) for allowed in self._allowed)


def _is_at_or_beneath(url: str, allowed: str) -> bool:
    asked, listed = urlsplit(url), urlsplit(allowed)
    same_server = (asked.scheme, asked.netloc) == (listed.scheme, listed.netloc)
    return same_server and f"{asked.path}/".startswith(f"{listed.path}/")
