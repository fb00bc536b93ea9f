"""The addresses of the app and of Activepieces."""

from __future__ import annotations

import pytest

from flask_activepieces.doctor.app.addresses import check_base_url, check_mount_path, check_public_url
from tests.support.doctor import PUBLIC, codes, only, settings

CLOUD = "https://cloud.activepieces.com"
LOCAL = "http://127.0.0.1:8080"


def test_a_missing_public_url_is_found_if_activepieces_is_elsewhere() -> None:
    finding = only(check_public_url(settings(), [CLOUD], []), "public-url-missing")

    assert finding.seen == f"ACTIVEPIECES_PUBLIC_URL is not set, and Activepieces at {CLOUD} uses the app."


def test_a_missing_public_url_is_found_if_a_client_is_elsewhere() -> None:
    findings = check_public_url(settings(), [], ["https://program.test/callback", "https://other.test/"])

    assert "a client at https://program.test/callback and 1 more use" in only(findings, "public-url-missing").seen


def test_a_public_url_on_loopback_is_found_if_activepieces_is_elsewhere() -> None:
    findings = check_public_url(settings(PUBLIC_URL="http://localhost:5000"), [LOCAL, CLOUD], [])

    assert "is http://localhost:5000, and" in only(findings, "public-url-loopback").seen


@pytest.mark.parametrize(
    ("public_url", "servers", "redirect_uris"),
    [
        (PUBLIC, [CLOUD], ["https://program.test/callback"]),
        (None, [], []),
        (None, [LOCAL], ["http://127.0.0.1:9000/callback", "http://[::1]/callback"]),
        ("http://localhost:5000", [LOCAL], ["http://localhost/callback"]),
    ],
)
def test_a_public_url_that_suffices_is_not_reported(
    public_url: str | None, servers: list[str], redirect_uris: list[str]
) -> None:
    assert codes(check_public_url(settings(PUBLIC_URL=public_url), servers, redirect_uris)) == []


def test_a_mount_path_missing_from_the_public_url_is_found() -> None:
    finding = only(check_mount_path(settings(PUBLIC_URL=PUBLIC), {"/crm", "/"}), "mount-path")

    assert finding.remedy == f"Set it to {PUBLIC}/crm."


@pytest.mark.parametrize("mounts", [set(), {"/"}, {"/crm"}, {"/crm/"}])
def test_the_mount_path_in_the_public_url_is_not_reported(mounts: set[str]) -> None:
    assert codes(check_mount_path(settings(PUBLIC_URL=f"{PUBLIC}/crm"), mounts)) == []


@pytest.mark.parametrize("url", ["http://activepieces.example.com", "http://8.8.8.8:8080"])
def test_plain_http_to_a_public_address_is_found(url: str) -> None:
    assert f"is {url}." in only(check_base_url(settings(BASE_URL=url)), "activepieces-http").seen


@pytest.mark.parametrize(
    "url",
    [
        CLOUD,
        LOCAL,
        "http://localhost:8080",
        "http://activepieces:80",
        "http://10.0.0.7",
        "http://[fd00::1]",
        "http://ap.default.svc.cluster.local",
        "http://ap.corp.internal",
    ],
)
def test_plain_http_in_a_private_network_is_not_reported(url: str) -> None:
    assert codes(check_base_url(settings(BASE_URL=url))) == []
