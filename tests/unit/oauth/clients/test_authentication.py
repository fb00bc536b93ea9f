"""Reading the credentials in a request, and authenticating the client."""

from __future__ import annotations

import base64

import pytest
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Error

from flask_activepieces.crypto.keyring import sha256_hex
from flask_activepieces.oauth.clients.authentication import (
    ClientCredentials,
    InvalidClient,
    authenticate,
    read_credentials,
)
from flask_activepieces.oauth.clients.client import OAuthClient

SECRET, OLD_SECRET = "fas_current", "fas_previous"


def client(secret: str | None = SECRET, previous: str | None = OLD_SECRET) -> OAuthClient:
    return OAuthClient(
        client_id="client",
        tenant_id=None,
        name="N",
        description="",
        redirect_uris=(),
        scope="a",
        grant_types=("authorization_code",),
        require_pkce=True,
        remember_consent=False,
        can_introspect=False,
        integration_id=None,
        created_at=0,
        tokens_issued=0,
        last_issued_at=None,
        disabled_at=None,
        secret_hash=None if secret is None else sha256_hex(secret),
        previous_secret_hash=None if previous is None else sha256_hex(previous),
    )


def basic(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return "Basic " + base64.b64encode(data).decode()


READ = [
    ({"client_id": "a", "client_secret": "s"}, None, ("a", "s", "client_secret_post")),
    ({"client_id": "a"}, None, ("a", None, "none")),
    ({"client_id": "a", "client_secret": ""}, None, ("a", None, "none")),
    ({}, basic("a:s"), ("a", "s", "client_secret_basic")),
    ({}, basic("a:s:t"), ("a", "s:t", "client_secret_basic")),
    ({}, basic("a%3Ab:s%25"), ("a:b", "s%", "client_secret_basic")),
    ({}, basic("a:s+t"), ("a", "s t", "client_secret_basic")),
    ({}, basic("a:%C3%A9"), ("a", "é", "client_secret_basic")),
    ({}, basic("a:é"), ("a", "é", "client_secret_basic")),
    ({}, basic("a:%zz"), ("a", "%zz", "client_secret_basic")),
    ({"client_id": "a"}, basic("a:s"), ("a", "s", "client_secret_basic")),
    ({}, basic("a:s").replace("Basic", "bAsIc"), ("a", "s", "client_secret_basic")),
]


@pytest.mark.parametrize(("form", "header", "found"), READ)
def test_credentials_are_read(form: dict[str, str], header: str | None, found: tuple[str, str | None, str]) -> None:
    credentials = read_credentials(form, header)

    assert (credentials.client_id, credentials.secret, credentials.method) == found


@pytest.mark.parametrize(
    ("form", "header", "error"),
    [
        ({}, None, InvalidClientError),
        ({"client_secret": "s"}, None, InvalidClientError),
        ({"client_id": "", "client_secret": "s"}, None, InvalidClientError),
        ({"client_secret": "s"}, basic("a:s"), InvalidRequestError),
        ({"client_id": "a", "client_secret": "s"}, basic("a:s"), InvalidRequestError),
        ({"client_id": "a", "client_secret": ""}, basic("a:s"), InvalidRequestError),
        ({"client_id": "b"}, basic("a:s"), InvalidRequestError),
        ({"client_id": "a", "client_secret": "s"}, "Bearer x", InvalidRequestError),
        ({"client_id": "a"}, "", InvalidClientError),
        ({"client_id": "a"}, "Bearer x", InvalidClientError),
        ({"client_id": "a"}, "Basic", InvalidClientError),
        ({"client_id": "a"}, "Basic !", InvalidClientError),
        ({}, "Basic \u00e9", InvalidClientError),
        ({}, basic("a"), InvalidClientError),
        ({}, basic(":s"), InvalidClientError),
        ({}, basic("a:"), InvalidClientError),
        ({}, basic(":"), InvalidClientError),
        ({}, basic(b"\xff:s"), InvalidClientError),
    ],
)
def test_invalid_credentials_are_rejected(form: dict[str, str], header: str | None, error: type[OAuth2Error]) -> None:
    with pytest.raises(error):
        read_credentials(form, header)


@pytest.mark.parametrize("by_header", [False, True])
@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_both_current_secrets_authenticate_the_client(secret: str, by_header: bool) -> None:
    known = client()

    assert authenticate(ClientCredentials("client", secret, by_header), known) is known


@pytest.mark.parametrize("secret", [None, "", "fas_wrong", SECRET.upper(), SECRET + " ", sha256_hex(SECRET), "é"])
def test_another_secret_does_not_authenticate_the_client(secret: str | None) -> None:
    for known in (client(), client(previous=None), None):
        with pytest.raises(InvalidClientError):
            authenticate(ClientCredentials("client", secret, by_header=False), known)


def test_a_public_client_must_not_send_a_secret() -> None:
    public = client(secret=None, previous=None)

    assert authenticate(ClientCredentials("client", None, by_header=False), public) is public
    for secret in ("", "x", sha256_hex("")):
        with pytest.raises(InvalidClientError):
            authenticate(ClientCredentials("client", secret, by_header=False), public)


def test_an_empty_secret_is_not_the_missing_old_secret() -> None:
    with pytest.raises(InvalidClientError):
        authenticate(ClientCredentials("client", "", by_header=False), client(previous=None))


@pytest.mark.parametrize("by_header", [False, True])
def test_only_a_request_with_the_header_gets_a_challenge(by_header: bool) -> None:
    """RFC 6749 §5.2."""
    with pytest.raises(InvalidClient) as caught:
        authenticate(ClientCredentials("client", "wrong", by_header), client())

    assert caught.value.status_code == 401
    assert (caught.value.challenge is not None) is by_header


def test_a_repr_shows_no_secret_and_no_hash() -> None:
    shown = repr(ClientCredentials("client", SECRET, by_header=True)) + repr(client())

    for hidden in (SECRET, OLD_SECRET, sha256_hex(SECRET), sha256_hex(OLD_SECRET)):
        assert hidden not in shown
