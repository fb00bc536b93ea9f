"""The protected resources of an app: its API and, if it is on, its MCP endpoint.

A resource is identified by a URL: the issuer for the API, and for the MCP endpoint its address below the issuer. Each
access token is for one resource, which its ``aud`` names and which no other resource accepts (RFC 8707, RFC 9068 §4).
Only the identifiers themselves name a resource: other URLs of the host may belong to other apps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import OAuth2Error

from ..config.urls import origin, same_issuer


@dataclass(frozen=True)
class Resource:
    """What an access token is for. The name is stored, so that the address of the app and the path may change."""

    name: str
    #: Below the issuer.
    path: str

    def identifier(self, issuer: str) -> str:
        """Its URL, which is the audience of its access tokens."""
        return issuer + self.path


API = Resource("api", "")


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The resources of one app, as a request at this issuer names them."""

    issuer: str
    mcp: Resource
    serves_mcp: Callable[[], bool] = field(repr=False)

    def default(self, *, is_agent: bool) -> Resource:
        """The resource of an authorization request that names none.

        Clients register themselves for the MCP endpoint, of which the oldest ones do not know this parameter.
        """
        return self.mcp if is_agent and self.serves_mcp() else API

    def find(self, url: str) -> Resource | None:
        """The resource that this URL names; None if it is not one of this app."""
        path = self._path_below_issuer(url)
        if path == API.path:
            return API
        return self.mcp if path == self.mcp.path and self.serves_mcp() else None

    def requested(self, url: str | None, *, default: Resource) -> Resource:
        """The resource that an authorization request names; ``invalid_target`` if there is no such resource."""
        resource = default if url is None else self.find(url)
        if resource is None:
            raise InvalidTarget("The resource is not served here.")
        return resource

    def confirmed(self, url: str | None, *, granted: str) -> Resource:
        """The resource of the grant with that name: a later request may name it again, but no other one.

        It may be off by now.
        """
        resource = self.mcp if granted == self.mcp.name else API
        if url is not None and self.find(url) != resource:
            raise InvalidTarget("The authorization is for another resource.")
        return resource

    def _path_below_issuer(self, url: str) -> str | None:
        try:
            parts, issuer = urlsplit(url), urlsplit(self.issuer)
            is_ours = origin(url) == origin(self.issuer) or same_issuer(
                f"{parts.scheme}://{parts.netloc}{issuer.path}", self.issuer
            )
        except ValueError:
            return None
        # RFC 8707 §2: no fragment. None of the identifiers has a query.
        if not is_ours or set(url) & set("@?#") or not parts.path.startswith(issuer.path):
            return None
        # Clients that normalize the URL of an origin add a slash (RFC 3986 §6.2.3), and some users enter one.
        return parts.path.removeprefix(issuer.path).removesuffix("/")


class InvalidTarget(OAuth2Error):
    """The requested resource is unknown, or not the one that the user allowed (RFC 8707 §2)."""

    error = "invalid_target"
