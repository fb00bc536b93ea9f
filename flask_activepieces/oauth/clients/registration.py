"""The registration of an OAuth client by an operator: its values, their rules, and presets for known platforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...config.scopes import Scope
from ...errors import InvalidInput
from ...host.ids import checked_optional_id
from ...messages import Message
from .. import scopes
from . import redirect_uris as redirects

CODE_GRANTS = ("authorization_code", "refresh_token")
CLIENT_CREDENTIALS = "client_credentials"
MAX_NAME = 120
MAX_DESCRIPTION = 500
MAX_REDIRECT_URIS = 20


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The values of a client that an operator or admin chooses."""

    name: str
    redirect_uris: Sequence[str] = ()
    scope: str = ""
    description: str = ""
    #: The https URL of its logo, for the consent page.
    logo_uri: str = ""
    tenant_id: str | None = None
    public: bool = False
    require_pkce: bool = True
    remember_consent: bool = False
    client_credentials: bool = False
    can_introspect: bool = False

    def __post_init__(self) -> None:
        """`SetupError` if the tenant id is invalid."""
        checked_optional_id("Registration.tenant_id", self.tenant_id)

    def validate(self, known_scopes: Mapping[str, Scope]) -> None:
        """`InvalidInput` with the first problem of each invalid field."""
        problems: dict[str, Message] = {}
        for field, problem in self._problems(known_scopes):
            problems.setdefault(field, problem)
        if problems:
            raise InvalidInput(problems)

    def _problems(self, known_scopes: Mapping[str, Scope]) -> Iterator[tuple[str, Message]]:
        if not self.name.strip():
            yield "name", Message("A name is required: the consent page shows it.")
        for field, value, maximum in (
            ("name", self.name, MAX_NAME),
            ("description", self.description, MAX_DESCRIPTION),
        ):
            if not value.isprintable():
                yield field, Message("Must be one line of printable characters.")
            if len(value) > maximum:
                yield field, Message("At most %(maximum)d characters.", maximum=maximum)

        # Its host becomes a part of the consent page's header, as that of a redirect URI.
        if self.logo_uri and (
            not self.logo_uri.startswith("https://") or redirects.validate_redirect_uri(self.logo_uri, public=False)
        ):
            yield "logo_uri", Message("Must be an https URL.")
        if not self.redirect_uris and not self.client_credentials and not self.can_introspect:
            yield "redirect_uris", Message("At least one redirect URI is required.")
        if len(self.redirect_uris) > MAX_REDIRECT_URIS:
            yield "redirect_uris", Message("At most %(maximum)d redirect URIs.", maximum=MAX_REDIRECT_URIS)
        for uri in self.redirect_uris:
            problem = redirects.validate_redirect_uri(uri, public=self.public)
            if problem:
                yield "redirect_uris", Message("%(uri)r: %(problem)s", uri=uri[:120], problem=problem)
            if self.remember_consent and redirects.posts_code_to_opener(uri):
                message = Message(
                    "%(uri)r looks like the redirect page of Activepieces, which gives every code to the window"
                    " that opened it. Its client must always show the consent page.",
                    uri=uri[:120],
                )
                yield "remember_consent", message

        requested = scopes.split(self.scope)
        existing = ", ".join(known_scopes) or Message("none")
        for scope in requested:
            if scope not in known_scopes:
                message = Message(
                    "Unknown scope %(scope)r. Available scopes: %(existing)s.", scope=scope, existing=existing
                )
                yield "scope", message
        if not requested and not self.can_introspect:
            message = Message("At least one scope is required. Available scopes: %(existing)s.", existing=existing)
            yield "scope", message

        if self.public:
            yield from self._problems_of_public_client()
        if self.client_credentials and self.tenant_id is None:
            message = Message("A client with this grant must belong to one tenant. Name the tenant.")
            yield "client_credentials", message

    def _problems_of_public_client(self) -> Iterator[tuple[str, Message]]:
        if self.client_credentials:  # RFC 6749 §4.4
            yield "client_credentials", Message("A public client has no credentials, so it cannot use this grant.")
        if not self.require_pkce:  # RFC 9700 §2.1.1
            yield "require_pkce", Message("A public client must use PKCE.")
        if self.remember_consent:  # RFC 8252 §8.6
            yield "remember_consent", Message("A public client must always show the consent page.")
        if self.can_introspect:  # RFC 7662 §2.1
            yield "can_introspect", Message("Introspection requires a client with a secret.")


def row_values(registration: Registration) -> dict[str, Any]:
    """The columns of a registration."""
    with_codes = CODE_GRANTS if registration.redirect_uris else ()
    with_credentials = (CLIENT_CREDENTIALS,) if registration.client_credentials else ()
    return {
        "tenant_id": registration.tenant_id,
        "name": registration.name.strip(),
        "description": registration.description.strip(),
        "logo_uri": registration.logo_uri or None,
        "redirect_uris": " ".join(dict.fromkeys(registration.redirect_uris)),
        "scope": scopes.join(scopes.split(registration.scope)),
        "grant_types": " ".join((*with_codes, *with_credentials)),
        "require_pkce": registration.require_pkce,
        "remember_consent": registration.remember_consent,
        "can_introspect": registration.can_introspect,
    }


@dataclass(frozen=True, kw_only=True)
class Preset:
    """The values of a known platform."""

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


_PRESETS = (
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
PRESETS = {preset.name: preset for preset in _PRESETS}
