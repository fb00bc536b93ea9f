"""Redirect URIs: which can be registered, and whether a requested one is registered."""

from __future__ import annotations

import pytest

from flask_activepieces.oauth.clients.redirect_uris import (
    display_origin,
    matches,
    posts_code_to_opener,
    validate_redirect_uri,
)

GOOD = [
    "https://program.test/callback",
    "https://program.test",
    "https://program.test/",
    "https://program.test:8443/callback",
    "https://program.test/callback?tenant=acme&x=%20",
    "https://cloud.activepieces.com/redirect",
    "https://xn--e1afmkfd.test/callback",
    "https://192.0.2.7/callback",
    "https://[2001:db8::1]/callback",
    "https://a-b--c.test/callback",
    "http://localhost/callback",
    "http://localhost:3000/callback",
    "http://127.0.0.1:3000/callback",
    "http://[::1]:3000/callback",
]


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("uri", GOOD)
def test_a_valid_uri_can_be_registered(uri: str, public: bool) -> None:
    assert validate_redirect_uri(uri, public=public) is None


@pytest.mark.parametrize("uri", ["com.example.app:/callback", "com.example.app://callback/x"])
def test_only_a_public_client_can_use_a_private_scheme(uri: str) -> None:
    """RFC 8252 §7.1."""
    assert validate_redirect_uri(uri, public=True) is None
    assert "public" in str(validate_redirect_uri(uri, public=False))


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("", "absolute"),
        ("callback", "absolute"),
        ("/callback", "absolute"),
        ("https://program.test/" + "a" * 2000, "absolute"),
        ("https://program.test/é", "ASCII"),
        ("https://program.test/ ", "ASCII"),
        ("https://program.test/\n", "ASCII"),
        ("https://program.test\\callback", "ASCII"),
        ("https://program.test:port/", "valid"),
        ("https://[::1/", "valid"),
        ("https://program.test/#", "fragment"),
        ("https:///callback", "host"),
        ("https://user@program.test/", "user"),
        ("https://@program.test/", "user"),
        ("http://program.test/", "https"),
        ("http://localhost.test/", "https"),
        ("http://127.0.0.1.test/", "https"),
        ("http://127.0.0.256/", "https"),
        ("http://127./", "https"),
        ("javascript:alert(1)", "scheme"),
        ("data:text/html,x", "scheme"),
        ("myapp:/callback", "scheme"),
    ],
)
def test_an_invalid_uri_is_rejected_with_the_reason(uri: str, word: str) -> None:
    for public in (False, True):
        problem = validate_redirect_uri(uri, public=public)
        assert problem is not None
        assert word in problem or "host" in problem


def test_uris_are_compared_exactly() -> None:
    registered = ("https://program.test/callback", "https://program.test/other")

    assert matches(registered[0], registered, public=False)
    assert matches(registered[1], registered, public=True)
    for uri in ("https://program.test/callback/", "https://program.test/", "https://program.test/Other", ""):
        assert not matches(uri, registered, public=False)
        assert not matches(uri, registered, public=True)
    assert not matches("", (), public=True)


@pytest.mark.parametrize("registered", ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"])
@pytest.mark.parametrize("requested", ["http://127.0.0.1/cb", "http://127.0.0.1:2/cb"])
def test_a_public_client_may_use_any_port_of_a_loopback_address(registered: str, requested: str) -> None:
    assert matches(requested, [registered], public=True)
    assert matches(requested, [registered], public=False) is (requested == registered)


@pytest.mark.parametrize(
    "requested",
    [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:01/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:123456/cb",
        "http://127.0.0.1:2/cb\n",
        "http://127.0.0.1:2/cb#",
        "http://127.0.0.1:2/cb?",
        "http://127.0.0.1:2/CB",
        "HTTP://127.0.0.1:2/cb",
        "https://127.0.0.1:2/cb",
        "http://127.0.0.1:2@evil.test/cb",
        "http://localhost:2/cb",
        "http://[::1]:2/cb",
        "http://127.0.0.1:\u0662/cb",
    ],
)
def test_only_the_port_may_differ(requested: str) -> None:
    assert not matches(requested, ["http://127.0.0.1/cb"], public=True)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://program.test/callback?x", "https://program.test"),
        ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000"),
        ("http://[::1]:3000/cb", "http://[::1]:3000"),
        ("com.example.app:/callback", "com.example.app:"),
    ],
)
def test_the_origin_is_displayed(uri: str, origin: str) -> None:
    assert display_origin(uri) == origin


@pytest.mark.parametrize(
    "path",
    [
        *("/redirect", "/api/redirect", "/tools/redirect", "/redirect/", "/Redirect", "//redirect"),
        *("/redirect?next=1", "/%72edirect", "/redirect/.", "/redirect/x/..", "/redirect%2F"),
        *("/redirect/a%2Fb/..", "/redirect//..", "/redirect/a/%2e%2E"),
    ],
)
def test_a_redirect_page_of_activepieces_is_recognized_in_any_spelling(path: str) -> None:
    assert posts_code_to_opener(f"https://ap.test{path}")


@pytest.mark.parametrize("path", ["", "/", "/callback", "/redirects", "/redirect/cb", "/?/redirect"])
def test_other_redirect_uris_are_not_mistaken_for_it(path: str) -> None:
    assert not posts_code_to_opener(f"https://ap.test{path}")
