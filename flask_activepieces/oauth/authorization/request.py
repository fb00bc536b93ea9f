"""The authorization request (RFC 6749 §4.1.1), held against its rules one by one.

The order is the specification, and it has two halves. Until the client and its redirect URI are verified,
whatever is wrong is told to the person on a page (CVE-2026-41479, CVE-2026-44681 were redirects before that
point). After it, whatever is wrong goes back to the client by redirect, with ``state`` and ``iss``; those rules are
`authorization_rules`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error

from ...config.settings import Scope
from ...errors import ActivepiecesError
from ...messages import Message
from .. import scopes
from ..clients.client import SECRET_PREFIX, OAuthClient
from .rules import check

_LONGEST_STATE = 2000
_LONGEST_IN_LOG = 300
_SECRET = re.compile(re.escape(SECRET_PREFIX) + r"[^/]*")

log = logging.getLogger(__name__)


class NoRedirect(ActivepiecesError):
    """Raised while nobody is verified to redirect to: the person is told on a page of ours."""

    def __init__(self, message: Message, remedy: Message) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """What a client asks a user for; verified when it came out of `verify`."""

    client_id: str
    redirect_uri: str
    #: Whether the client named the URI itself, and so must name it again at the token endpoint.
    redirect_uri_given: bool
    scope: str
    state: str | None
    code_challenge: str | None
    #: "none", "consent" or nothing.
    prompt: str | None

    @property
    def names(self) -> list[str]:
        """The scopes asked for."""
        return scopes.split(self.scope)

    def answer_url(self, issuer: str, parameters: Mapping[str, str]) -> str:
        """Where the browser goes with the answer: state unchanged, and who answered (RFC 9207 §2)."""
        answer = dict(parameters)
        if self.state is not None:
            answer["state"] = self.state
        answer["iss"] = issuer
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(answer)}"


class Refused(ActivepiecesError):
    """Raised when the client is to be told of an error by redirect."""

    def __init__(self, request: AuthorizationRequest, error: OAuth2Error) -> None:
        self.request = request
        self.error = error
        super().__init__(str(error.error))

    def answer_url(self, issuer: str) -> str:
        """RFC 6749 §4.1.2.1."""
        told = {"error": str(self.error.error)}
        if self.error.description:
            told["error_description"] = str(self.error.description)
        return self.request.answer_url(issuer, told)


def verify(
    parameters: Mapping[str, str],
    client: OAuthClient | None,
    *,
    known: Mapping[str, Scope],
    issuer: str,
) -> AuthorizationRequest:
    """The request if it may be put before a user; else `NoRedirect` or `Refused`."""
    client = _client(client)
    redirect_uri = _redirect_uri(parameters, client)
    request = AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        redirect_uri_given="redirect_uri" in parameters,
        scope="",
        state=_state(parameters),
        code_challenge=parameters.get("code_challenge"),
        prompt=_prompt(parameters),
    )
    try:
        check(parameters, client, issuer=issuer)
        names = scopes.requested(parameters.get("scope"), allowed=client.scope, known=known)
    except OAuth2Error as error:
        raise Refused(request, error) from None
    return AuthorizationRequest(**{**vars(request), "scope": scopes.join(names)})


def verify_again(
    request: AuthorizationRequest, client: OAuthClient | None, *, known: Mapping[str, Scope]
) -> OAuthClient:
    """The client of a request that has waited: it may have been changed or deleted meanwhile."""
    if client is None or not client.accepts_redirect(request.redirect_uri):
        raise NoRedirect(
            Message("The app that sent you here is not registered any more."),
            Message("Go back to it, and start again."),
        )
    _check_that_users_meet_it(client)
    try:
        scopes.requested(request.scope, allowed=client.scope, known=known)
    except OAuth2Error as error:
        raise Refused(request, error) from None
    return client


def _client(client: OAuthClient | None) -> OAuthClient:
    if client is None:
        raise NoRedirect(
            Message("The app that sent you here is not registered."),
            Message(
                "Go back to it and try again; if this happens again, tell its makers that its client_id is unknown."
            ),
        )
    _check_that_users_meet_it(client)
    return client


def _check_that_users_meet_it(client: OAuthClient) -> None:
    # The app itself gives it codes, for a click of the user's. Its redirect URI came from a server that we asked
    # without knowing it, and its grants would answer without a page.
    if client.integration_id is not None:
        raise NoRedirect(
            Message("This connection is not made on this page."),
            Message("Connect it inside the app, where its button is."),
        )
    if client.disabled_at is not None:
        raise NoRedirect(
            Message("%(app)s is switched off here.", app=client.name),
            Message("Ask an administrator of your workspace to switch it on again."),
        )


def _redirect_uri(parameters: Mapping[str, str], client: OAuthClient) -> str:
    uri = parameters.get("redirect_uri")
    if uri is None:
        # RFC 6749 §3.1.2.3: it may be left out only if there is nothing to choose.
        if len(client.redirect_uris) == 1:
            return client.redirect_uris[0]
        raise NoRedirect(
            Message("%(app)s did not say where to send you back to.", app=client.name),
            Message("Tell its makers that the parameter redirect_uri is missing."),
        )
    if not client.accepts_redirect(uri):
        log.warning(
            "Client %s sent the redirect URI %r, which is not registered; registered: %s",
            client.client_id,
            _for_log(uri),
            ", ".join(client.redirect_uris),
        )
        raise NoRedirect(
            Message(
                "%(app)s asked to send you to an address that is not registered for it.",
                app=client.name,
            ),
            Message(
                "Do not go on. Tell its makers that the redirect_uri must be exactly one of the registered ones."
            ),
        )
    return uri


def _for_log(uri: str) -> str:
    # Anyone can send any text, and a developer who mistook one field for another their secret.
    path, query, _ = uri[:_LONGEST_IN_LOG].partition("?")
    return _SECRET.sub(f"{SECRET_PREFIX}...", path) + ("?..." if query else "")


def _state(parameters: Mapping[str, str]) -> str | None:
    state = parameters.get("state")
    if state is not None and len(state) > _LONGEST_STATE:
        raise NoRedirect(
            Message("The request is too long."),
            Message(
                "Tell its makers that its state must have at most %(most)d characters.",
                most=_LONGEST_STATE,
            ),
        )
    return state


def _prompt(parameters: Mapping[str, str]) -> str | None:
    # Values that we do not know, and other unknown parameters, are ignored (RFC 6749 §3.1).
    words = parameters.get("prompt", "").split()
    if words == ["none"]:
        return "none"
    return "consent" if {"consent", "login", "select_account"} & set(words) else None
