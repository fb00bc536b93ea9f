"""The rules for an authorization request whose client and redirect URI are verified."""

from __future__ import annotations

import re
from collections.abc import Mapping

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error, UnauthorizedClientError

from ..clients.client import OAuthClient

Parameters = Mapping[str, str]

#: RFC 7636 §4.2: 32 bytes as base64url.
_S256 = re.compile(r"[A-Za-z0-9_-]{43}")


def check(parameters: Parameters, client: OAuthClient) -> None:
    """Raise the `OAuth2Error` of the first rule that the request breaks."""
    _check_response_type(parameters)
    _check_response_mode(parameters)
    _check_grant_type(client)
    _check_no_request_object(parameters)
    _check_prompt(parameters)
    _check_pkce(parameters, client)


def _check_response_type(parameters: Parameters) -> None:
    response_type = parameters.get("response_type")
    if response_type is None:
        raise InvalidRequestError("The parameter response_type is missing; it must be code.")
    if response_type != "code":
        # No implicit grant, in any form (RFC 9700 §2.1.2). Authlib's error would repeat the client's value, which may
        # hold characters that a description must not.
        raise OAuth2Error(error="unsupported_response_type", description="The response_type must be code.")


def _check_response_mode(parameters: Parameters) -> None:
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("The response_mode must be query.")


def _check_grant_type(client: OAuthClient) -> None:
    if "authorization_code" not in client.grant_types:
        raise UnauthorizedClientError("The client is not registered for the authorization code grant.")


def _check_no_request_object(parameters: Parameters) -> None:
    # RFC 9101 §6.1: a request object must not be ignored, because it may contradict the parameters.
    for name in ("request", "request_uri"):
        if name in parameters:
            raise OAuth2Error(error=f"{name}_not_supported", description="Request objects are not supported.")


def _check_prompt(parameters: Parameters) -> None:
    values = parameters.get("prompt", "").split()
    if "none" in values and len(values) > 1:
        raise InvalidRequestError("prompt=none cannot be combined with other values.")


def _check_pkce(parameters: Parameters, client: OAuthClient) -> None:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise InvalidRequestError("There is a code_challenge_method but no code_challenge.")
        if client.require_pkce:
            raise InvalidRequestError("PKCE is required: send code_challenge with method S256.")
        return
    # RFC 7636 §4.3: without a method it is plain, which protects nothing (RFC 9700 §2.1.1).
    if method != "S256":
        raise InvalidRequestError("The code_challenge_method must be S256.")
    if not _S256.fullmatch(challenge):
        raise InvalidRequestError("The code_challenge is not the S256 of a verifier.")
