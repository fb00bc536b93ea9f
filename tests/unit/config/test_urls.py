"""Settings that are URLs: which are valid, which could lead to another site, and the issuer of a request."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.config.settings import Settings
from flask_activepieces.config.urls import is_loopback, loopback_issuer, same_issuer, script_url
from flask_activepieces.errors import ConfigError, SetupError

KEY = "a secret key that is long enough"


def settings(**config: Any) -> Settings:
    own = {f"ACTIVEPIECES_{name}": value for name, value in config.items() if name.isupper()}
    return Settings.from_app_config({"SECRET_KEY": KEY} | own)


def problems(config: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Settings.from_app_config({"SECRET_KEY": KEY} | config)
    return caught.value.problems


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://app.example.com/", "https://app.example.com"),
        ("https://app.example.com:8443/tools/", "https://app.example.com:8443/tools"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_a_valid_public_url_is_normalized(url: str, found: str) -> None:
    assert settings(PUBLIC_URL=url).public_url == found


@pytest.mark.parametrize(
    "url",
    [
        "app.example.com",
        "//app.example.com",
        "ftp://app.example.com",
        "javascript:alert(1)",
        "https://",
        "https:///tools",
        "http://app.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0:5000",
        "https://app.example.com?x=y",
        "https://app.example.com#x",
        "https://user@app.example.com",
        "https://user:password@app.example.com",
        "https://@app.example.com",
        "https://app.example.com:port",
        "https://app.example.com:99999",
        "https://[::1",
        "https://app example.com",
        "https://app.example.com/\nX: y",
        'https://app.example.com/"',
        5,
        ["https://app.example.com"],
    ],
)
def test_an_invalid_public_url_is_rejected(url: Any) -> None:
    (problem,) = problems({"ACTIVEPIECES_PUBLIC_URL": url})

    assert problem.startswith("ACTIVEPIECES_PUBLIC_URL: ")


@pytest.mark.parametrize("prefix", ["oauth", "/oauth/", "/", "//", "/a//b", "/a?b", "/a#b", "/<a>", 5])
def test_an_invalid_prefix_is_rejected(prefix: Any) -> None:
    (problem,) = problems({"ACTIVEPIECES_OAUTH_PREFIX": prefix})

    assert "path" in problem


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("/consent", True),
        ("/consent?lang=en", True),
        ("https://app.example.com/consent", True),
        ("https://APP.example.com:443/consent?lang=en", True),
        ("https://app.example.com:8443/consent", False),
        ("https://spa.example.com/consent", False),
        ("https://someone@app.example.com/consent", False),
        ("http://localhost:3000/consent", False),
        ("http://app.example.com/consent", False),
        ("//evil.test/consent", False),
        ("/\\evil.test", False),
        ("\\\\evil.test", False),
        ("javascript:alert(1)", False),
        ("consent", False),
        ("https:///consent", False),
        ("/consent#x", False),
        ("/con sent\r\nX: y", False),
    ],
)
def test_a_consent_url_must_have_the_origin_of_the_public_url(url: str, good: bool) -> None:
    public = "https://app.example.com/tools"
    if good:
        assert settings(CONSENT_URL=url, PUBLIC_URL=public).consent_url == url
    else:
        wrong = {"ACTIVEPIECES_CONSENT_URL": url, "ACTIVEPIECES_PUBLIC_URL": public}
        assert problems(wrong)[0].startswith("ACTIVEPIECES_CONSENT_URL")


def test_without_a_public_url_the_consent_url_must_be_a_path() -> None:
    (problem,) = problems({"ACTIVEPIECES_CONSENT_URL": "https://app.example.com/consent"})

    assert "ACTIVEPIECES_PUBLIC_URL" in problem
    assert settings(CONSENT_URL="/consent").consent_url == "/consent"


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://127.0.0.1", "file:///tmp/x", 5])
def test_an_invalid_redis_url_is_rejected(url: Any) -> None:
    assert "redis://" in problems({"ACTIVEPIECES_REDIS_URL": url})[0]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("LOCALHOST", False),
        ("localhost.", False),
        ("localhost.evil.test", False),
        ("127.0.0.1.evil.test", False),
        ("127.evil.test", False),
        ("127.0.0.256", False),
        ("127.", False),
        ("127.\u0661", False),
        ("1270.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("10.0.0.1", False),
        ("::2", False),
        ("2130706433", False),
        ("", False),
    ],
)
def test_loopback_hosts_are_recognized(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


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


@pytest.mark.parametrize(
    "url", ["https://cdn.example.com/embed/0.8.1.js", "http://127.0.0.1:8080/sdk.js", "http://localhost/sdk.js"]
)
def test_a_script_comes_by_https_or_from_this_machine(url: str) -> None:
    assert script_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com/embed.js",
        "//cdn.example.com/embed.js",
        "/embed.js",
        "javascript:alert(1)",
        "data:text/javascript,1",
        "https://user@cdn.example.com/embed.js",
        'https://cdn.example.com/"><script>',
        "https://",
    ],
)
def test_other_scripts_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL|http"):
        script_url(url)
