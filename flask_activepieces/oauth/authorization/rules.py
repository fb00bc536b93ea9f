"""The rules for an authorization request whose client and redirect URI are verified: it is told by redirect."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    OAuth2Error,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)

from ..clients.client import OAuthClient

#: RFC 7636 §4.2: S256 is 32 bytes as base64url.
_S256 = re.compile(r"[A-Za-z0-9_-]{43}")


class UnknownTarget(OAuth2Error):
    """RFC 8707 §2: the resource asked for is not here."""

    error = "invalid_target"


def _response_type(parameters: Mapping[str, str], client: OAuthClient) -> None:
    asked = parameters.get("response_type")
    if asked is None:
        raise InvalidRequestError("The parameter response_type is missing; it must be code.")
    if asked != "code":
        # No implicit grant, in no form (RFC 9700 §2.1.2).
        raise _UnsupportedResponseType()


class _UnsupportedResponseType(UnsupportedResponseTypeError):
    description = "The response_type must be code."

    def __init__(self) -> None:
        super().__init__("")


def _response_mode(parameters: Mapping[str, str], client: OAuthClient) -> None:
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("The response_mode must be query.")


def _grant_type(parameters: Mapping[str, str], client: OAuthClient) -> None:
    if not client.check_grant_type("authorization_code"):
        raise UnauthorizedClientError(
            "The client is not registered for the authorization code grant."
        )


def _request_objects(parameters: Mapping[str, str], client: OAuthClient) -> None:
    # RFC 9101 §6.1: what cannot be read must not be passed over, it might say something else.
    for name, error in (
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
    ):
        if name in parameters:
            raise OAuth2Error(error=error, description="Request objects are not supported.")


def _prompt_alone(parameters: Mapping[str, str], client: OAuthClient) -> None:
    words = parameters.get("prompt", "").split()
    if "none" in words and len(words) > 1:
        raise InvalidRequestError("prompt=none cannot be combined with other values.")


def _pkce(parameters: Mapping[str, str], client: OAuthClient) -> None:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise InvalidRequestError("There is a code_challenge_method but no code_challenge.")
        if client.require_pkce:
            raise InvalidRequestError("PKCE is required: send code_challenge with method S256.")
        return
    # RFC 7636 §4.3: no method means plain, and plain protects nothing (RFC 9700 §2.1.1).
    if method != "S256":
        raise InvalidRequestError("The code_challenge_method must be S256.")
    if not _S256.fullmatch(challenge):
        raise InvalidRequestError("The code_challenge is not the S256 of a verifier.")


def _resource(parameters: Mapping[str, str], issuer: str) -> None:
    resource = parameters.get("resource")
    if (
        resource is not None
        and resource.rstrip("/") != issuer
        and not resource.startswith(issuer + "/")
    ):
        raise UnknownTarget("The resource is not served here.")


_Rule = Callable[[Mapping[str, str], OAuthClient], None]

#: In this order: what the request is at all, then what it asks for.
_RULES: tuple[_Rule, ...] = (
    _response_type,
    _response_mode,
    _grant_type,
    _request_objects,
    _prompt_alone,
    _pkce,
)


def check(parameters: Mapping[str, str], client: OAuthClient, *, issuer: str) -> None:
    """Raise the error of the first rule that the request breaks."""
    for rule in _RULES:
        rule(parameters, client)
    _resource(parameters, issuer)
