"""How token requests are sent: redirects, compressed responses, blocked addresses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flask_activepieces.testing.standin.connections.oauth_client import (
    AddressBlocked,
    NoResponse,
    TokenEndpointClient,
    TokenRequest,
    form_encoded,
)
from tests.support.token_endpoint import Reply, TokenEndpoint, token_endpoint

FIELDS = {"grant_type": "authorization_code", "code": "c", "client_secret": "s"}


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with token_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def sent() -> list[TokenRequest]:
    return []


@pytest.fixture
def client(sent: list[TokenRequest]) -> TokenEndpointClient:
    return TokenEndpointClient(sleep=lambda seconds: None, record=sent.append)


def test_a_form_is_encoded_as_javascript_does() -> None:
    assert form_encoded({"a b": "*-._~ /é"}) == "a+b=*-._%7E+%2F%C3%A9"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_loses_the_body(endpoint: TokenEndpoint, client: TokenEndpointClient, status: int) -> None:
    endpoint.reply_with(Reply(status=status, location="/elsewhere"))

    client.post(f"{endpoint.url}/token", FIELDS, authorization=None)

    _, followed = endpoint.received
    assert (followed.method, followed.path, followed.body) == ("GET", "/elsewhere", "")
    assert "Content-Type" not in dict(followed.headers)


@pytest.mark.parametrize("status", [307, 308])
def test_a_strict_redirect_forwards_the_secret(
    endpoint: TokenEndpoint, client: TokenEndpointClient, status: int
) -> None:
    with token_endpoint() as stranger:
        endpoint.reply_with(Reply(status=status, location=f"{stranger.url}/token"))

        client.post(f"{endpoint.url}/token", FIELDS, authorization="Basic xyz")

        (request,) = stranger.received
        assert "client_secret=s" in request.body
        assert "authorization" not in dict(request.headers)


def test_endless_redirects_end(endpoint: TokenEndpoint, client: TokenEndpointClient) -> None:
    endpoint.reply_with(*[Reply(status=307, location="/again")] * 10)

    with pytest.raises(NoResponse):
        client.post(f"{endpoint.url}/token", FIELDS, authorization=None)

    assert len(endpoint.received) == 6


def test_a_refused_connection_is_tried_once(sent: list[TokenRequest], client: TokenEndpointClient) -> None:
    with token_endpoint() as gone:
        url = gone.url

    with pytest.raises(NoResponse):
        client.post(url, FIELDS, authorization=None)

    assert [request.status for request in sent] == [None]


@pytest.mark.parametrize("url", ["{base_url}/token", "ftp://x/token", "no url", "http://"])
def test_an_invalid_address_is_not_called(sent: list[TokenRequest], client: TokenEndpointClient, url: str) -> None:
    with pytest.raises(AddressBlocked):
        client.post(url, FIELDS, authorization=None)

    assert sent == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]"])
def test_a_private_address_is_not_called(sent: list[TokenRequest], host: str) -> None:
    client = TokenEndpointClient(sleep=lambda seconds: None, record=sent.append, ssrf_allow_list=())

    with pytest.raises(AddressBlocked):
        client.post(f"http://{host}/token", FIELDS, authorization=None)

    assert sent == []


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8"])
def test_a_private_address_on_the_list_is_called(
    endpoint: TokenEndpoint, sent: list[TokenRequest], allowed: str
) -> None:
    client = TokenEndpointClient(
        sleep=lambda seconds: None, record=sent.append, ssrf_allow_list=("10.0.0.0/8", allowed)
    )

    client.post(f"{endpoint.url}/token", FIELDS, authorization=None)

    assert [request.status for request in sent] == [200]


def test_no_secret_is_in_the_repr_of_a_request(
    endpoint: TokenEndpoint, sent: list[TokenRequest], client: TokenEndpointClient
) -> None:
    client.post(f"{endpoint.url}/token", FIELDS, authorization="Basic c2VjcmV0")

    assert sent[0].body.endswith("client_secret=s")
    assert "client_secret" not in repr(sent)
    assert "Basic" not in repr(sent)
