"""The settings of the session cookie."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.doctor.app.cookies import check_cookies
from tests.support.doctor import PUBLIC, codes, flask_config, only, settings

GOOD = {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_SAMESITE": "Lax"}


def found(public_url: str | None = PUBLIC, **config: Any) -> list[str]:
    return codes(check_cookies(settings(PUBLIC_URL=public_url), flask_config(**config)))


def test_a_cookie_that_is_not_secure_is_found() -> None:
    findings = check_cookies(settings(PUBLIC_URL=PUBLIC), flask_config(SESSION_COOKIE_SAMESITE="Lax"))

    assert only(findings, "cookie-secure").remedy == "Set SESSION_COOKIE_SECURE to True."


def test_the_cookie_that_remembers_users_must_be_secure_too() -> None:
    findings = check_cookies(settings(PUBLIC_URL=PUBLIC), flask_config(**GOOD, REMEMBER_COOKIE_DURATION=60))

    assert "REMEMBER_COOKIE_SECURE is not set" in only(findings, "cookie-secure").seen


@pytest.mark.parametrize("public_url", [None, PUBLIC])
@pytest.mark.parametrize("value", ["Strict", "strict"])
def test_a_strict_cookie_is_found(public_url: str | None, value: str) -> None:
    config: dict[str, Any] = GOOD | {"SESSION_COOKIE_SAMESITE": value}

    assert found(public_url, **config) == ["cookie-samesite-strict"]


@pytest.mark.parametrize("value", [None, "None"])
def test_a_cookie_for_other_sites_is_found(value: str | None) -> None:
    config: dict[str, Any] = GOOD | {"SESSION_COOKIE_SAMESITE": value}

    assert found(**config) == ["cookie-samesite"]


@pytest.mark.parametrize(
    ("public_url", "config"),
    [
        (PUBLIC, {"SESSION_COOKIE_PATH": "/app"}),
        (f"{PUBLIC}/crm", {"SESSION_COOKIE_PATH": "/cr"}),
        (PUBLIC, {"SESSION_COOKIE_DOMAIN": "example.org"}),
        (PUBLIC, {"SESSION_COOKIE_DOMAIN": "other.app.example.com"}),
    ],
)
def test_a_cookie_that_does_not_reach_the_consent_page_is_found(public_url: str, config: dict[str, str]) -> None:
    assert found(public_url, **GOOD, **config) == ["cookie-scope"]


@pytest.mark.parametrize(
    ("public_url", "config"),
    [
        (PUBLIC, GOOD),
        (f"{PUBLIC}/crm", GOOD | {"SESSION_COOKIE_PATH": "/crm"}),
        (f"{PUBLIC}/crm", GOOD | {"SESSION_COOKIE_PATH": "/"}),
        (PUBLIC, GOOD | {"SESSION_COOKIE_DOMAIN": "example.com"}),
        (PUBLIC, GOOD | {"SESSION_COOKIE_DOMAIN": ".app.example.com"}),
        (None, {}),
        ("http://localhost:5000", {}),
    ],
)
def test_good_cookies_are_not_reported(public_url: str | None, config: dict[str, Any]) -> None:
    assert found(public_url, **config) == []
