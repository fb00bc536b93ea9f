"""Settings that are URLs: which are valid, and which could lead to another site."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.config.settings import Settings
from flask_activepieces.config.urls import is_loopback
from flask_activepieces.errors import ConfigError

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
