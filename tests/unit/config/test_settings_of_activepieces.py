"""The settings for calling Activepieces: servers, keys and timeouts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey

from flask_activepieces.config.settings import Settings, ThirdPartyApp
from flask_activepieces.config.urls import server_url
from flask_activepieces.errors import ConfigError
from flask_activepieces.testing.standin.access.signing_keys import new_pair

KEY = "a secret key that is long enough"
PEM = new_pair()[0].strip()
SLACK = "@activepieces/piece-slack"


def settings(**config: Any) -> Settings:
    own = {f"ACTIVEPIECES_{name}": value for name, value in config.items()}
    return Settings.from_app_config({"SECRET_KEY": KEY} | own)


def problem(**config: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(**config)
    (message,) = caught.value.problems
    return message


def test_all_settings_are_optional() -> None:
    found = settings()

    assert found.base_url == "https://cloud.activepieces.com"
    assert found.api_key is found.project_id is found.piece_name is None
    assert (found.allowed_base_urls, found.third_party_apps, found.timeout) == ((), {}, 30)
    assert found.signing_key is found.signing_key_id is None


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://ap.example.com", "https://ap.example.com"),
        ("https://AP.Example.com:443/", "https://ap.example.com"),
        ("http://activepieces:80", "http://activepieces"),
        ("http://active_pieces:8080/api/", "http://active_pieces:8080/api"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_server_url_is_normalized(url: str, kept: str) -> None:
    assert server_url(url) == kept
    assert settings(BASE_URL=url).base_url == kept


@pytest.mark.parametrize("url", [None, 5, b"https://ap.example.com", ["https://ap.example.com"]])
def test_a_server_must_be_a_string(url: Any) -> None:
    with pytest.raises(ValueError, match="must be a string"):
        server_url(url)


@pytest.mark.parametrize("url", ["ap.example.com", "https://user@ap.example.com", "ftp://ap"])
def test_an_invalid_server_is_reported_with_its_key(url: str) -> None:
    assert problem(BASE_URL=url).startswith("ACTIVEPIECES_BASE_URL: ")


@pytest.mark.parametrize(
    "value",
    [
        ["https://a.example", "https://b.example/ap/"],
        "https://a.example, https://b.example/ap",
        '["https://a.example", "https://b.example/ap", "https://A.example:443"]',
    ],
)
def test_allowed_servers_are_a_list(value: Any) -> None:
    found = settings(ALLOWED_BASE_URLS=value).allowed_base_urls

    assert found == ("https://a.example", "https://b.example/ap")


@pytest.mark.parametrize("value", ["https://*.example.com", "*", ["https://a.example", "nonsense"]])
def test_each_invalid_allowed_server_is_reported(value: Any) -> None:
    assert problem(ALLOWED_BASE_URLS=value).startswith("ACTIVEPIECES_ALLOWED_BASE_URLS: ")


@pytest.mark.parametrize(("value", "kept"), [(1, 1), ("310", 310), ("60", 60)])
def test_a_valid_timeout_is_accepted(value: Any, kept: int) -> None:
    assert settings(TIMEOUT=value).timeout == kept


@pytest.mark.parametrize("value", [0, 311, "soon", -1, 2.5])
def test_an_invalid_timeout_is_rejected(value: Any) -> None:
    assert problem(TIMEOUT=value).startswith("ACTIVEPIECES_TIMEOUT: ")


@pytest.mark.parametrize("name", ["API_KEY", "PROJECT_ID", "PIECE_NAME"])
@pytest.mark.parametrize("value", ["two words", "line\nbreak", "ünïcode", 5])
def test_ids_and_keys_are_printable_ascii_without_spaces(name: str, value: Any) -> None:
    message = problem(**{name: value})

    assert message.startswith(f"ACTIVEPIECES_{name}: ")
    assert str(value) not in message


def test_a_signing_key_is_a_private_key_with_its_id() -> None:
    found = settings(SIGNING_KEY=f" {PEM}\n", SIGNING_KEY_ID="key-1")

    assert (found.signing_key, found.signing_key_id) == (PEM, "key-1")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("nonsense", "PEM"),
        ("-----BEGIN PUBLIC KEY-----\nMIIE", "PEM"),
        (PEM[:200] + PEM[210:], "PEM"),
        (ECKey.generate_key("P-256", private=True).as_pem(private=True).decode(), "RSA"),
    ],
)
def test_an_invalid_signing_key_is_rejected_without_quoting_it(key: str, expected: str) -> None:
    message = problem(SIGNING_KEY=key, SIGNING_KEY_ID="key-1")

    assert message.startswith("ACTIVEPIECES_SIGNING_KEY: ")
    assert expected in message
    assert key not in message


def test_the_id_of_a_signing_key_has_no_spaces() -> None:
    assert "spaces" in problem(SIGNING_KEY=PEM, SIGNING_KEY_ID="two words")


@pytest.mark.parametrize(
    ("there", "absent"), [({"SIGNING_KEY": PEM}, "SIGNING_KEY_ID"), ({"SIGNING_KEY_ID": "key-1"}, "SIGNING_KEY")]
)
def test_a_signing_key_and_its_id_must_be_set_together(there: dict[str, str], absent: str) -> None:
    message = problem(**there)

    assert message.startswith(f"ACTIVEPIECES_{absent}: ")
    assert "must be set together" in message


@pytest.mark.parametrize(
    "apps",
    [
        {SLACK: {"client_id": "1.2", "client_secret": "s", "scope": "chat:write users:read"}},
        json.dumps({SLACK: {"client_id": "1.2", "client_secret": "s", "scope": "chat:write users:read"}}),
    ],
    ids=["mapping", "JSON"],
)
def test_third_party_apps_are_parsed(apps: Any) -> None:
    found = settings(THIRD_PARTY_APPS=apps).third_party_apps

    assert found == {SLACK: ThirdPartyApp("1.2", "s", ("chat:write", "users:read"))}


@pytest.mark.parametrize(
    "apps",
    [
        "{",
        "[]",
        {SLACK: "secret"},
        {SLACK: {"client_id": "1.2"}},
        {SLACK: {"client_id": "", "client_secret": "s"}},
        {SLACK: {"client_id": "1.2", "client_secret": "s", "token_url": "https://evil.example"}},
    ],
)
def test_an_invalid_third_party_app_is_rejected(apps: Any) -> None:
    assert problem(THIRD_PARTY_APPS=apps).startswith("ACTIVEPIECES_THIRD_PARTY_APPS: ")


def test_no_secret_is_in_the_repr() -> None:
    canary = "a-secret-that-must-not-be-seen"
    found = settings(
        API_KEY=canary,
        SIGNING_KEY=PEM,
        SIGNING_KEY_ID="key-1",
        THIRD_PARTY_APPS={SLACK: {"client_id": "1.2", "client_secret": canary}},
    )

    assert canary not in repr(found)
    assert PEM[100:150] not in repr(found)
