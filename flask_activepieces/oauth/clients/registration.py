"""What an operator decides about an OAuth client, and what they may not decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...config.settings import Scope
from ...host.ids import checked_optional_id
from ...messages import Message
from .. import scopes
from . import redirect_uris as redirects

CODE_GRANTS = ("authorization_code", "refresh_token")
CLIENT_CREDENTIALS = "client_credentials"
LONGEST_NAME = 120
LONGEST_DESCRIPTION = 500
MOST_REDIRECT_URIS = 20


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What an operator decides about a client."""

    name: str
    redirect_uris: Sequence[str] = ()
    scope: str = ""
    description: str = ""
    tenant_id: str | None = None
    public: bool = False
    require_pkce: bool = True
    remember_consent: bool = False
    client_credentials: bool = False
    can_introspect: bool = False

    def __post_init__(self) -> None:
        """`SetupError` if the tenant's id cannot be one."""
        checked_optional_id("Registration.tenant_id", self.tenant_id)

    def problems(self, known: Mapping[str, Scope]) -> dict[str, Message]:
        """What is wrong, by field; empty when it can be registered."""
        checks = {
            "name": self._problem_with_name(),
            "description": self._problem_with_description(),
            "redirect_uris": self._problem_with_redirects(),
            "scope": self._problem_with_scope(known),
            "client_credentials": self._problem_with_credentials(),
            "require_pkce": self._problem_with_pkce(),
            "remember_consent": self._problem_with_remembering(),
            "can_introspect": self._problem_with_introspection(),
        }
        return {name: problem for name, problem in checks.items() if problem}

    def _problem_with_name(self) -> Message | None:
        if not self.name.strip():
            return Message("Required: the consent page shows it.")
        if not self.name.isprintable():
            return Message("Must be one line of printable characters.")
        return _at_most(LONGEST_NAME) if len(self.name) > LONGEST_NAME else None

    def _problem_with_description(self) -> Message | None:
        if not self.description.isprintable():
            return Message("Must be one line of printable characters.")
        too_long = len(self.description) > LONGEST_DESCRIPTION
        return _at_most(LONGEST_DESCRIPTION) if too_long else None

    def _problem_with_redirects(self) -> Message | None:
        if not self.redirect_uris and not self.client_credentials and not self.can_introspect:
            return Message("At least one redirect URI is required.")
        if len(self.redirect_uris) > MOST_REDIRECT_URIS:
            return Message("At most %(most)d redirect URIs.", most=MOST_REDIRECT_URIS)
        for uri in self.redirect_uris:
            problem = redirects.problem_with(uri, public=self.public)
            if problem:
                return Message("%(uri)r: %(problem)s", uri=uri[:120], problem=problem)
        return None

    def _problem_with_scope(self, known: Mapping[str, Scope]) -> Message | None:
        unknown = [name for name in scopes.split(self.scope) if name not in known]
        there_are = ", ".join(known) or Message("none")
        if unknown:
            return Message(
                "Unknown scope %(name)r. Available scopes: %(known)s.",
                name=unknown[0],
                known=there_are,
            )
        if not self.scope.split() and not self.can_introspect:
            return Message(
                "At least one scope is required. Available scopes: %(known)s.", known=there_are
            )
        return None

    def _problem_with_credentials(self) -> Message | None:
        if not self.client_credentials:
            return None
        if self.public:
            return Message("A public client has no credentials, so it cannot use this grant.")
        if self.tenant_id is None:
            return Message("A client with this grant must belong to one tenant.")
        return None

    def _problem_with_pkce(self) -> Message | None:
        if self.public and not self.require_pkce:
            return Message("A public client must use PKCE.")
        return None

    def _problem_with_remembering(self) -> Message | None:
        if not self.remember_consent:
            return None
        if self.public:
            return Message("A public client must always show the consent page.")
        for uri in self.redirect_uris:
            if redirects.posts_code_to_opener(uri):
                return Message(
                    "%(uri)r looks like the redirect page of Activepieces, which gives every code to the window"
                    " that opened it. Its client must always show the consent page.",
                    uri=uri[:120],
                )
        return None

    def _problem_with_introspection(self) -> Message | None:
        if self.public and self.can_introspect:
            return Message("Introspection requires a client with a secret.")
        return None


def _at_most(most: int) -> Message:
    return Message("At most %(most)d characters.", most=most)


def row_values(registration: Registration) -> dict[str, Any]:
    """The columns that a registration decides."""
    with_codes = CODE_GRANTS if registration.redirect_uris else ()
    with_credentials = (CLIENT_CREDENTIALS,) if registration.client_credentials else ()
    return {
        "tenant_id": registration.tenant_id,
        "name": registration.name.strip(),
        "description": registration.description.strip(),
        "redirect_uris": " ".join(dict.fromkeys(registration.redirect_uris)),
        "scope": scopes.join(scopes.split(registration.scope)),
        "grant_types": " ".join((*with_codes, *with_credentials)),
        "require_pkce": registration.require_pkce,
        "remember_consent": registration.remember_consent,
        "can_introspect": registration.can_introspect,
    }
