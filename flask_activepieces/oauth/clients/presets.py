"""Presets: platforms whose redirect URIs are known, and whether they use PKCE."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InvalidInput
from ...messages import Message


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A platform that can be registered as a client."""

    name: str
    title: str
    redirect_uris: tuple[str, ...] = ()
    #: Activepieces uses PKCE only if the piece asks for it; Zapier and Make do not use it.
    require_pkce: bool = False
    #: The path of the redirect URI on a self-hosted server.
    self_hosted_path: str | None = None

    def redirect_uris_for(self, server: str | None) -> tuple[str, ...]:
        """The redirect URIs of the vendor's cloud, or of a self-hosted server."""
        if server is None:
            return self.redirect_uris
        if self.self_hosted_path is None:
            message = Message("%(platform)s cannot be self-hosted.", platform=self.title)
            raise InvalidInput({"server": message})
        return (server.rstrip("/") + self.self_hosted_path,)


_ALL = (
    Preset(
        name="activepieces",
        title="Activepieces",
        redirect_uris=("https://cloud.activepieces.com/redirect",),
        self_hosted_path="/redirect",
    ),
    Preset(name="zapier", title="Zapier"),
    Preset(name="make", title="Make", redirect_uris=("https://www.make.com/oauth/cb/app",)),
    Preset(name="n8n", title="n8n", self_hosted_path="/rest/oauth2-credential/callback"),
)
PRESETS = {preset.name: preset for preset in _ALL}
