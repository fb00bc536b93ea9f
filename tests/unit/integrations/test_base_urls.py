"""A tenant's admin must not be able to point the app at an address inside its network (SSRF)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flask_activepieces.config.settings import Settings
from flask_activepieces.errors import IntegrationDisabled, InvalidInput
from flask_activepieces.integrations.client_factory import BaseUrls
from tests.support.service_harness import WITHOUT_CREDENTIALS

CONFIGURED = "https://ap.example.com"
ALLOWED = ["https://ap.customer.example:8443", "https://hosting.example/ap", "http://ap.internal"]


def base_urls(**changed: object) -> BaseUrls:
    config: dict[str, object] = {
        "SECRET_KEY": "a secret key that is long enough",
        "ACTIVEPIECES_BASE_URL": CONFIGURED,
        "ACTIVEPIECES_ALLOWED_BASE_URLS": ALLOWED,
    }
    return BaseUrls(Settings.from_app_config(config | changed))


@pytest.mark.parametrize(
    "url",
    [
        "https://ap.example.com",
        "https://ap.example.com/",
        "https://ap.example.com/api",
        "https://ap.example.com/api/v1",
        "https://AP.Example.COM:443/",
        " https://ap.example.com ",
    ],
)
def test_the_configured_server_is_accepted_in_any_spelling(url: str) -> None:
    assert base_urls().normalize(url) is None


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://ap.customer.example:8443", "https://ap.customer.example:8443"),
        ("https://ap.customer.example:8443/", "https://ap.customer.example:8443"),
        ("https://AP.CUSTOMER.example:8443/api", "https://ap.customer.example:8443/api"),
        ("https://hosting.example/ap", "https://hosting.example/ap"),
        ("https://hosting.example/ap/tenant-1", "https://hosting.example/ap/tenant-1"),
        ("http://ap.internal", "http://ap.internal"),
        ("http://ap.internal:80/", "http://ap.internal"),
    ],
)
def test_listed_servers_and_paths_below_them_are_accepted(url: str, stored: str) -> None:
    assert base_urls().normalize(url) == stored


TRICKS = {
    "not on the list": "https://evil.example",
    "loopback": "http://127.0.0.1",
    "loopback by name": "http://localhost:5432",
    "loopback in IPv6": "http://[::1]:8080",
    "loopback as a number": "http://2130706433",
    "loopback in hexadecimal": "http://0x7f000001",
    "loopback in octal": "http://0177.0.0.1",
    "loopback cut short": "http://127.1",
    "loopback inside IPv6": "http://[::ffff:127.0.0.1]",
    "cloud metadata": "http://169.254.169.254/latest/meta-data",
    "a private address": "http://10.0.0.5",
    "another port": "https://ap.customer.example:22",
    "no port where one is listed": "https://ap.customer.example",
    "another scheme": "http://ap.customer.example:8443",
    "https where http is listed": "https://ap.internal",
    "a longer host": "https://ap.customer.example.evil.example:8443",
    "a subdomain": "https://x.ap.customer.example:8443",
    "the listed one as a user name": "https://ap.customer.example:8443@evil.example",
    "an empty user name": "https://@ap.customer.example:8443",
    "a password": "https://user:pass@ap.customer.example:8443",
    "the listed one in the query": "https://evil.example/?https://ap.customer.example:8443",
    "a query on the listed one": "https://ap.customer.example:8443/?x=1",
    "an empty query": "https://ap.customer.example:8443?",
    "a fragment": "https://evil.example#ap.customer.example:8443",
    "an empty fragment": "https://ap.customer.example:8443#",
    "a backslash": "https://evil.example\\@ap.customer.example:8443",
    "a tab": "https://ap.customer.example\t:8443",
    "a line break": "https://ap.customer.example:8443\r\nHost: evil.example",
    "a NUL": "https://ap.customer.example:8443\0.evil.example",
    "a dot at the end": "https://ap.customer.example.:8443",
    "a dot that is not one": "https://ap。customer。example:8443",
    "letters that look alike": "https://аp.customer.example:8443",
    "wide letters": "https://ａｐ.customer.example:8443",
    "an escaped host": "https://ap%2ecustomer.example:8443",
    "a path that only starts like the listed one": "https://hosting.example/ap-evil",
    "a path above the listed one": "https://hosting.example",
    "back out of the listed path": "https://hosting.example/ap/../admin",
    "back out by an escape": "https://hosting.example/ap/%2e%2e/admin",
    "a doubled slash": "https://hosting.example//ap",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://ap.internal:6379/_FLUSHALL",
    "no scheme": "//ap.internal",
    "no host": "https:///ap",
    "port zero": "https://ap.customer.example:0",
    "a port out of bounds": "https://ap.customer.example:99999",
    "a port that is no number": "https://ap.customer.example:84 43",
    "nothing": "",
}


@pytest.mark.parametrize("url", TRICKS.values(), ids=TRICKS.keys())
def test_the_list_cannot_be_bypassed(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        base_urls().normalize(url)

    assert list(caught.value.fields) == ["baseUrl"]


def test_without_a_list_only_the_configured_server_is_accepted() -> None:
    with pytest.raises(InvalidInput):
        base_urls(ACTIVEPIECES_ALLOWED_BASE_URLS="").normalize("https://ap.customer.example:8443")


def test_a_server_removed_from_the_list_is_not_called() -> None:
    stored = base_urls().normalize("https://hosting.example/ap")
    integration = replace(WITHOUT_CREDENTIALS, base_url=stored)

    assert base_urls().for_integration(integration) == "https://hosting.example/ap"
    with pytest.raises(IntegrationDisabled, match="no longer"):
        base_urls(ACTIVEPIECES_ALLOWED_BASE_URLS="").for_integration(integration)


def test_without_a_base_url_the_configured_server_is_used() -> None:
    assert base_urls().for_integration(WITHOUT_CREDENTIALS) == CONFIGURED
