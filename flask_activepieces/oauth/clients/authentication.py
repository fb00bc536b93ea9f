"""Client authentication at the token endpoints (RFC 6749 §2.3).

A client sends a secret in the form or in a Basic header, or an assertion that it signed with a private key. Only one
method is allowed per request. A public client sends only its id, and uses PKCE. The Basic header is form-decoded, as
the RFC says. Our ids and secrets contain no ``%`` and no ``+``, so this also works for clients that do not encode
them, such as Activepieces.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from ...crypto.keyring import NO_HASH, constant_time_equal, sha256_hex
from .assertions import ASSERTION_TYPE, MAX_LENGTH, InvalidAssertion, read_unverified
from .client import OAuthClient

#: RFC 7591 §2; "none" is for public clients.
SECRET_METHODS = ["client_secret_basic", "client_secret_post"]
KEY_METHOD = "private_key_jwt"
CONFIDENTIAL_METHODS = [*SECRET_METHODS, KEY_METHOD]
CLIENT_METHODS = [*CONFIDENTIAL_METHODS, "none"]


@dataclass(frozen=True)
class ClientCredentials:
    """The credentials in a request."""

    client_id: str
    secret: str | None = field(repr=False)
    by_header: bool
    assertion: str | None = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """The registered name of the method (RFC 7591 §2)."""
        if self.assertion is not None:
            return KEY_METHOD
        if self.secret is None:
            return "none"
        return "client_secret_basic" if self.by_header else "client_secret_post"


def read_credentials(form: Mapping[str, str], authorization: str | None) -> ClientCredentials:
    """The credentials in a request; an Authlib error if there is no client id, or more than one method."""
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if "client_assertion" in form or "client_assertion_type" in form:
        return _from_assertion(form, authorization)
    if authorization is None:
        if not client_id:
            raise invalid_client("The request names no client: send client_id and client_secret.", by_header=False)
        return ClientCredentials(client_id, secret or None, by_header=False)
    if secret is not None:
        # RFC 6749 §2.3: only one method in each request, even if both are valid.
        raise InvalidRequestError("Send the client secret in the header or in the form, not in both.")
    header_id, header_secret = _from_basic(authorization)
    if client_id is not None and client_id != header_id:
        raise InvalidRequestError("client_id in the form is not the one in the Authorization header.")
    return ClientCredentials(header_id, header_secret, by_header=True)


def _from_assertion(form: Mapping[str, str], authorization: str | None) -> ClientCredentials:
    """RFC 7521 §4.2."""
    if authorization is not None or "client_secret" in form:
        raise InvalidRequestError("Send the client assertion or a client secret, not both.")
    assertion = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION_TYPE or not 0 < len(assertion) <= MAX_LENGTH:
        raise invalid_client(f"Send a client_assertion of type {ASSERTION_TYPE}.", by_header=False)
    client_id = form.get("client_id")
    try:
        _, subject = read_unverified(assertion)
    except InvalidAssertion as error:
        raise invalid_client(str(error), by_header=False) from None
    if subject is None or client_id not in (None, subject):
        raise invalid_client("client_id in the form is not the sub of the client_assertion.", by_header=False)
    return ClientCredentials(subject, None, by_header=False, assertion=assertion)


def _from_basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client("Use HTTP Basic in the Authorization header.", by_header=True)
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # not base64, not ASCII, or not UTF-8
        raise invalid_client("The Authorization header is not valid Basic authentication.", by_header=True) from None
    client_id, colon, secret = decoded.partition(":")
    if not colon or not client_id or not secret:
        raise invalid_client("The Authorization header lacks the client id or the secret.", by_header=True)
    return unquote_plus(client_id), unquote_plus(secret)


def authenticate(credentials: ClientCredentials, client: OAuthClient | None) -> OAuthClient:
    """The client if the credentials are valid; else `InvalidClient`, the same for every reason.

    It takes the same time whether the client exists or not, and whichever of its secrets is sent.
    """
    sent = sha256_hex(credentials.secret or "")
    is_current = constant_time_equal(sent, (client and client.secret_hash) or NO_HASH)
    is_previous = constant_time_equal(sent, (client and client.previous_secret_hash) or NO_HASH)
    is_public = client is not None and not client.is_confidential
    is_valid = credentials.secret is None if is_public else is_current or is_previous
    if client is None or not is_valid:
        raise invalid_client("Unknown client, or a wrong or missing secret.", by_header=credentials.by_header)
    return client


def invalid_client(description: str, *, by_header: bool) -> InvalidClientError:
    """RFC 6749 §5.2: 401 always; the challenge only to a client that used the header."""
    error = InvalidClient(description, status_code=401)
    error.challenge = 'Basic realm="oauth", charset="UTF-8"' if by_header else None
    return error


class InvalidClient(InvalidClientError):
    """The client is unknown, or its credentials are wrong."""

    #: The ``WWW-Authenticate`` header of the response.
    challenge: str | None = None
