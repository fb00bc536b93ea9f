"""The authorization request (RFC 6749 §4.1.1) and its rules, in two groups.

Until the client and its redirect URI are verified, an error is shown to the user on a page: redirects before that
point were vulnerabilities elsewhere (CVE-2026-41479, CVE-2026-44681). After that point, an error goes back to the
client by redirect, with ``state`` and ``iss``; these rules are in `rules`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error

from ...config.scopes import Scope
from ...errors import ActivepiecesError
from ...messages import Message
from .. import scopes
from ..clients.client import SECRET_PREFIX, OAuthClient
from ..resources import API, Resources
from .rules import check

_MAX_STATE = 2000
_MAX_LOGGED = 300
_SECRET = re.compile(re.escape(SECRET_PREFIX) + r"[^/]*")

log = logging.getLogger(__name__)


class UnverifiedClientError(ActivepiecesError):
    """Raised while no redirect URI is verified: the error is shown to the user on a page."""

    def __init__(self, message: Message, remedy: Message) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """What a client asks a user for."""

    client_id: str
    redirect_uri: str
    #: Whether the client named the URI, and so must name it again at the token endpoint.
    redirect_uri_given: bool
    scope: str
    state: str | None
    code_challenge: str | None
    #: The name of the resource that the client wants tokens for.
    resource: str
    #: "none", "consent" or None.
    prompt: str | None
    #: Whether no one vouches for the client, and so for the redirect URI.
    is_self_registered: bool = False

    @property
    def scopes(self) -> list[str]:
        """The requested scopes."""
        return scopes.split(self.scope)

    def response_url(self, issuer: str, parameters: Mapping[str, str]) -> str:
        """Where the browser goes with the response: with the state unchanged, and the issuer (RFC 9207 §2)."""
        response = dict(parameters)
        if self.state is not None:
            response["state"] = self.state
        response["iss"] = issuer
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(response)}"


class AuthorizationErrorResponse(ActivepiecesError):
    """Raised for an error that goes to the client by redirect."""

    def __init__(self, request: AuthorizationRequest, error: OAuth2Error) -> None:
        self.request = request
        self.error = error
        super().__init__(str(error.error))

    def response_url(self, issuer: str) -> str:
        """RFC 6749 §4.1.2.1."""
        parameters = {"error": str(self.error.error)}
        if self.error.description:
            parameters["error_description"] = str(self.error.description)
        return self.request.response_url(issuer, parameters)


def verify(
    parameters: Mapping[str, str],
    client: OAuthClient | None,
    *,
    known_scopes: Mapping[str, Scope],
    resources: Resources,
) -> tuple[AuthorizationRequest, OAuthClient]:
    """The request and its client, if a user may decide about it.

    Else `UnverifiedClientError` or `AuthorizationErrorResponse`.
    """
    if client is None:
        raise UnverifiedClientError(
            Message("The app that sent you here is not registered."),
            Message(
                "Go back to it and try again. If this happens again, tell the app's developers that"
                " its client id is unknown here."
            ),
        )
    _check_usable(client)
    request = AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=_redirect_uri(parameters, client),
        redirect_uri_given="redirect_uri" in parameters,
        scope="",
        state=_state(parameters),
        code_challenge=parameters.get("code_challenge"),
        resource=API.name,
        prompt=_prompt(parameters),
        is_self_registered=client.is_self_registered,
    )
    try:
        check(parameters, client)
        resource = resources.requested(
            parameters.get("resource"), default=resources.default(is_agent=client.is_self_registered)
        )
        requested = scopes.requested(
            parameters.get("scope"), allowed=client.allowed_scope(known_scopes), known=known_scopes
        )
    except OAuth2Error as error:
        raise AuthorizationErrorResponse(request, error) from None
    return replace(request, scope=scopes.join(requested), resource=resource.name), client


def revalidate(
    request: AuthorizationRequest, client: OAuthClient | None, *, known_scopes: Mapping[str, Scope]
) -> OAuthClient:
    """The client of a pending request: it may have been changed or deleted meanwhile."""
    if client is None or not client.accepts_redirect(request.redirect_uri):
        raise UnverifiedClientError(
            Message("The app that sent you here is no longer registered."), Message("Go back to it and start again.")
        )
    _check_usable(client)
    try:
        scopes.requested(request.scope, allowed=client.allowed_scope(known_scopes), known=known_scopes)
    except OAuth2Error as error:
        raise AuthorizationErrorResponse(request, error) from None
    return client


def _check_usable(client: OAuthClient) -> None:
    # The app itself issues codes to the client of an integration, when a user clicks. Its redirect URI comes from a
    # server that did not prove who it is, and its grants would be reused without a page.
    if client.integration_id is not None:
        raise UnverifiedClientError(
            Message("This client cannot be authorized here."), Message("Connect it from inside the app.")
        )
    if client.disabled_at is not None:
        raise UnverifiedClientError(
            Message("%(app)s is suspended.", app=client.name),
            Message("Ask an administrator of your workspace to enable it."),
        )


def _redirect_uri(parameters: Mapping[str, str], client: OAuthClient) -> str:
    uri = parameters.get("redirect_uri")
    if uri is None:
        # RFC 6749 §3.1.2.3: it may be left out only if a single one is registered.
        if len(client.redirect_uris) == 1:
            return client.redirect_uris[0]
        raise UnverifiedClientError(
            Message("%(app)s did not say where to send you afterwards.", app=client.name),
            Message("Tell the app's developers that the parameter redirect_uri is missing."),
        )
    if not client.accepts_redirect(uri):
        log.warning(
            "Client %s sent the redirect URI %r, which is not registered; registered: %s",
            client.client_id,
            _for_log(uri),
            ", ".join(client.redirect_uris),
        )
        raise UnverifiedClientError(
            Message("%(app)s asked to send you to an address that is not registered for it.", app=client.name),
            Message(
                "For your safety we stopped here. Tell the app's developers that the redirect_uri"
                " must be exactly one of the registered ones."
            ),
        )
    return uri


def _for_log(uri: str) -> str:
    # Anyone can send anything, and a developer who confuses two fields sends their secret.
    path, query, _ = uri[:_MAX_LOGGED].partition("?")
    return _SECRET.sub(f"{SECRET_PREFIX}...", path) + ("?..." if query else "")


def _state(parameters: Mapping[str, str]) -> str | None:
    state = parameters.get("state")
    if state is not None and len(state) > _MAX_STATE:
        raise UnverifiedClientError(
            Message("The request is too long."),
            Message(
                "Tell the app's developers that the state can have at most %(most)d characters.", most=_MAX_STATE
            ),
        )
    return state


def _prompt(parameters: Mapping[str, str]) -> str | None:
    # Unknown values, like unknown parameters, are ignored (RFC 6749 §3.1).
    values = parameters.get("prompt", "").split()
    if values == ["none"]:
        return "none"
    return "consent" if {"consent", "login", "select_account"} & set(values) else None
