"""What is known of the platforms that connect: their redirect addresses, and whether they do PKCE."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A platform, ready to be registered."""

    name: str
    title: str
    redirect_uris: tuple[str, ...]
    #: An Activepieces piece has PKCE off unless it asks for it; Zapier and Make leave it out likewise.
    require_pkce: bool
    #: What to add for a server of one's own: the path under its own address.
    self_hosted_path: str | None = None

    def redirect_uris_for(self, server: str | None) -> tuple[str, ...]:
        """Where it sends users back to: the vendor's cloud, or a server of one's own."""
        if server is None:
            return self.redirect_uris
        if self.self_hosted_path is None:
            raise InvalidInput({"server": f"{self.title} cannot be self-hosted."})
        return (server.rstrip("/") + self.self_hosted_path,)


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="activepieces",
            title="Activepieces",
            redirect_uris=("https://cloud.activepieces.com/redirect",),
            require_pkce=False,
            self_hosted_path="/redirect",
        ),
        Preset(name="zapier", title="Zapier", redirect_uris=(), require_pkce=False),
        Preset(
            name="make",
            title="Make",
            redirect_uris=("https://www.make.com/oauth/cb/app",),
            require_pkce=False,
        ),
        Preset(
            name="n8n",
            title="n8n",
            redirect_uris=(),
            require_pkce=False,
            self_hosted_path="/rest/oauth2-credential/callback",
        ),
    )
}
