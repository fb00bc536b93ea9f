"""The issuer of a request, and when two issuers are the same."""

from __future__ import annotations

import pytest

from flask_activepieces.config.issuer import loopback_issuer, same_issuer
from flask_activepieces.errors import SetupError


@pytest.mark.parametrize(
    ("asked", "issuer"),
    [
        ("http://localhost/", "http://localhost"),
        ("http://localhost:5000/", "http://localhost:5000"),
        ("http://127.0.0.1:5000/tools/", "http://127.0.0.1:5000/tools"),
        ("http://[::1]:5000/", "http://[::1]:5000"),
        ("https://localhost/", "https://localhost"),
    ],
)
def test_without_a_public_url_the_issuer_is_the_loopback_name_of_the_request(asked: str, issuer: str) -> None:
    assert loopback_issuer(asked) == issuer


@pytest.mark.parametrize(
    "asked",
    [
        "http://evil.test/",
        "http://localhost.evil.test/",
        "http://localhost@evil.test/",
        "http://127.0.0.1.evil.test/",
        "http://127.0.0.256/",
        "http:///",
        "",
        "localhost",
    ],
)
def test_without_a_public_url_other_hosts_are_rejected(asked: str) -> None:
    with pytest.raises(SetupError) as caught:
        loopback_issuer(asked)

    assert "ACTIVEPIECES_PUBLIC_URL" in str(caught.value)
    assert "evil" not in str(caught.value)


SAME = [
    ("https://a.test", "https://a.test", True),
    ("http://localhost:5000", "http://127.0.0.1:5000", True),
    ("http://localhost", "http://[::1]", True),
    ("http://localhost/tools", "http://127.0.0.1/tools", True),
    ("https://a.test", "https://b.test", False),
    ("https://a.test", "https://a.test/", False),
    ("https://a.test", "https://A.test", False),
    ("https://a.test", "http://a.test", False),
    ("https://a.test", "https://a.test:443", False),
    ("https://localhost", "https://127.0.0.1", False),
    ("http://localhost:5000", "http://127.0.0.1:5001", False),
    ("http://localhost:5000", "http://127.0.0.1", False),
    ("http://localhost/tools", "http://127.0.0.1/other", False),
    ("http://localhost", "http://localhost.evil.test", False),
    ("http://localhost", "http://localhost@evil.test", False),
    ("http://localhost", "", False),
]


@pytest.mark.parametrize(("left", "right", "one"), SAME)
def test_issuers_are_the_same_if_equal_or_on_the_same_loopback_port(left: str, right: str, one: bool) -> None:
    assert same_issuer(left, right) is one
    assert same_issuer(right, left) is one


@pytest.mark.parametrize("broken", ["http://localhost:port", "http://localhost:99999", "http://[::1"])
def test_a_malformed_issuer_is_never_the_same(broken: str) -> None:
    """It may be in a token of another service that shares our key."""
    assert not same_issuer(broken, "http://localhost")
    assert not same_issuer("http://localhost", broken)
