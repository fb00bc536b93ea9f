"""What a document may say about its client; everything in it is the claim of a stranger."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from flask_activepieces.oauth.documents.client_urls import DocumentError, parse_client_url
from flask_activepieces.oauth.documents.document import Document, parse_document

URL = "https://client.example/metadata.json"
CLIENT_URL = parse_client_url(URL, allow_loopback=False)
MINIMAL: dict[str, Any] = {"client_id": URL, "redirect_uris": ["https://client.example/callback"]}
KEY = ECKey.generate_key("P-256", {"kid": "k"})
JWKS = {"keys": [KEY.as_dict(private=False)]}


def parse(**changes: Any) -> Document:
    claims = {name: value for name, value in (MINIMAL | changes).items() if value is not ...}
    return parse_document(json.dumps(claims).encode(), CLIENT_URL)


def problem(body: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        parse_document(body, CLIENT_URL)
    return str(caught.value)


def test_the_smallest_document_describes_a_public_client() -> None:
    assert parse() == Document(
        name="client.example", redirect_uris=("https://client.example/callback",), scope="", keys=None, keys_url=None
    )


def test_the_document_of_a_real_client_is_accepted() -> None:
    """As Claude Code and opencode publish theirs."""
    document = parse(
        client_name="Claude Code",
        client_uri="https://claude.ai",
        logo_uri="https://claude.ai/logo.png",
        application_type="native",
        redirect_uris=["http://localhost/callback", "http://127.0.0.1/callback"],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
        token_endpoint_auth_methods_supported=["none"],
        contacts=["someone@client.example"],
    )

    assert document.name == "Claude Code"
    assert document.redirect_uris == ("http://localhost/callback", "http://127.0.0.1/callback")


@pytest.mark.parametrize(
    "client_id",
    [
        ...,
        None,
        "",
        "https://client.example/metadata.json/",
        "https://client.example/other.json",
        "https://CLIENT.example/metadata.json",
        "https://client.example:443/metadata.json",
        "https://claude.ai/oauth/claude-code-client-metadata",
        [URL],
        {"url": URL},
    ],
)
def test_the_document_must_repeat_its_url_exactly(client_id: Any) -> None:
    """Otherwise every site could serve the documents of others."""
    with pytest.raises(DocumentError, match="client_id must be exactly"):
        parse(client_id=client_id)


@pytest.mark.parametrize(
    "method",
    ["client_secret_basic", "client_secret_post", "client_secret_jwt", "tls_client_auth", "", None, ["none"], "NONE"],
)
def test_a_client_has_no_shared_secret(method: Any) -> None:
    with pytest.raises(DocumentError, match="token_endpoint_auth_method"):
        parse(token_endpoint_auth_method=method)


@pytest.mark.parametrize("name", ["client_secret", "client_secret_expires_at"])
def test_a_secret_in_a_document_is_refused(name: str) -> None:
    with pytest.raises(DocumentError, match="client_secret") as caught:
        parse(**{name: "a secret that everyone can read"})

    assert "everyone can read" not in str(caught.value)


@pytest.mark.parametrize(
    ("uris", "word"),
    [
        (..., "list of URIs"),
        ([], "list of URIs"),
        ("https://client.example/callback", "list of URIs"),
        ([1], "list of URIs"),
        ([None], "list of URIs"),
        ([["https://client.example/"]], "list of URIs"),
        ([f"https://client.example/{number}" for number in range(21)], "more than 20"),
        (["javascript:alert(1)"], "scheme must be https"),
        (["data:text/html,x"], "scheme must be https"),
        (["http://client.example/callback"], "must use https"),
        (["https://client.example/#x"], "fragment"),
        (["https://user@client.example/"], "user name"),
        (["https://client.example/ x"], "ASCII"),
        (["/callback"], "absolute"),
    ],
)
def test_redirect_uris_follow_the_rules_of_every_client(uris: Any, word: str) -> None:
    with pytest.raises(DocumentError, match=word):
        parse(redirect_uris=uris)


def test_a_redirect_uri_for_other_servers_is_left_out() -> None:
    document = parse(redirect_uris=["http://client.example/old", "https://client.example/callback"])

    assert document.redirect_uris == ("https://client.example/callback",)


def test_a_public_client_may_use_a_private_scheme() -> None:
    assert parse(redirect_uris=["com.example.client:/callback"]).redirect_uris == ("com.example.client:/callback",)
    with pytest.raises(DocumentError, match="public clients only"):
        parse(redirect_uris=["com.example.client:/callback"], token_endpoint_auth_method="private_key_jwt", jwks=JWKS)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a" * 121, "more than 120"),
        ("two\nlines", "printable"),
        ("Claude\u202eedualC", "printable"),
        ("\u200bClaude", "printable"),
        ("\x00", "printable"),
        ("\ud800", "printable"),
        (["Claude"], "string"),
        (5, "string"),
        (None, "string"),
    ],
)
def test_a_name_must_be_one_that_people_can_read(name: Any, word: str) -> None:
    with pytest.raises(DocumentError, match=word):
        parse(client_name=name)


@pytest.mark.parametrize("name", [..., "", "   "])
def test_a_client_without_a_name_is_called_by_its_host(name: Any) -> None:
    assert parse(client_name=name).name == "client.example"


@pytest.mark.parametrize(
    "claims",
    [
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["implicit"]},
        {"grant_types": []},
        {"grant_types": "authorization_code"},
        {"grant_types": None},
        {"response_types": ["token"]},
        {"response_types": []},
        {"response_types": "code"},
    ],
)
def test_a_client_must_use_the_code_grant(claims: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="must contain"):
        parse(**claims)


@pytest.mark.parametrize(("scope", "expected"), [(..., ""), ("", ""), ("tasks:read x", "tasks:read x")])
def test_the_scope_is_optional(scope: Any, expected: str) -> None:
    assert parse(scope=scope).scope == expected


def test_a_client_can_have_keys_or_their_url() -> None:
    with_keys = parse(token_endpoint_auth_method="private_key_jwt", jwks=JWKS)
    with_url = parse(token_endpoint_auth_method="private_key_jwt", jwks_uri="https://client.example/jwks.json")

    assert with_keys.keys is not None
    assert with_keys.keys.find("k") is not None
    assert with_keys.keys_url is None
    assert (with_url.keys, with_url.keys_url) == (None, "https://client.example/jwks.json")


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({}, "either jwks or jwks_uri"),
        ({"jwks": JWKS, "jwks_uri": "https://client.example/jwks.json"}, "either jwks or jwks_uri"),
        ({"jwks_uri": ["https://client.example/jwks.json"]}, "jwks_uri"),
        ({"jwks": []}, "JWK set"),
        ({"jwks": {"keys": "k"}}, "JWK set"),
        ({"jwks": {"keys": []}}, "no key"),
        ({"jwks": {"keys": [KEY.as_dict(private=True)]}}, "private key or a secret"),
        ({"jwks": {"keys": [OctKey.generate_key().as_dict(private=True)]}}, "private key or a secret"),
        ({"jwks": {"keys": [*JWKS["keys"] * 21]}}, "more than 20"),
    ],
)
def test_keys_that_cannot_be_used_are_refused(claims: dict[str, Any], word: str) -> None:
    with pytest.raises(DocumentError, match=word):
        parse(token_endpoint_auth_method="private_key_jwt", **claims)


def test_keys_of_a_client_that_does_not_use_them_are_ignored() -> None:
    assert parse(jwks=JWKS, jwks_uri="https://client.example/jwks.json").keys is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Claude</title>",
        b"{",
        b"{}{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"client_id": "\xff"}',
        b"\xff\xfe{\x00}\x00",
        '\ufeff{"a": 1}'.encode(),
        b"\x1f\x8b\x08\x00",
        b"[" * 5000,
        b'{"a":' * 1000,
        b"[" * 2500 + b"]" * 2500,
        b'{"a": ' + b"9" * 5000 + b"}",
        f'{{"client_id": "{URL}", "client_id": "{URL}"}}'.encode(),
        b'{"a": {"b": 1, "b": 2}}',
    ],
)
def test_what_is_not_plain_json_is_refused(body: bytes) -> None:
    assert "not valid JSON" in problem(body)


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"null", b"true"])
def test_another_json_value_is_refused(body: bytes) -> None:
    assert "JSON object" in problem(body)


def test_deep_nesting_within_the_limits_of_the_parser_does_no_harm() -> None:
    assert parse(other=json.loads("[" * 500 + "]" * 500)).name == "client.example"
