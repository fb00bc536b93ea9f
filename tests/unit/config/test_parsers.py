"""Guessable keys: rejected if others can reach the app, otherwise reported in the log."""

from __future__ import annotations

import logging
import re
import secrets
from typing import Any

import pytest

from flask_activepieces.config.parsers import PLACEHOLDERS, weakness
from flask_activepieces.config.settings import Settings
from flask_activepieces.errors import ConfigError
from tests.support.documents import PAGES, README, ROOT

GUESSABLE = [
    *sorted(PLACEHOLDERS),
    "a key of 23 characters.",
    "x" * 64,
    "0123456" * 10,
    "password" * 8,
    "another key " * 3,
    "correct horse battery!" * 2,
    "changeme-changeme-changeme",
    "01234567890123456789012345",
]
GOOD = [
    "a key of 24 characters..",
    "correct horse battery staple",
    "0123456789abcdef01234567",
    "une clé très secrète à moi",
]
PUBLIC = ["https://app.example.com", "https://10.0.0.1", "https://127.0.0.1.example.com"]
LOOPBACK = ["http://localhost:5000", "https://127.0.0.1", "http://[::1]:5000", None]


def settings(**config: Any) -> Settings:
    return Settings.from_app_config(config)


@pytest.mark.parametrize("url", PUBLIC)
@pytest.mark.parametrize("key", GUESSABLE)
def test_a_guessable_key_is_rejected_with_a_public_url(key: str, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(SECRET_KEY=key, ACTIVEPIECES_PUBLIC_URL=url)

    (problem,) = caught.value.problems
    assert problem.startswith("SECRET_KEY: ")
    assert "secrets.token_hex(32)" in problem
    assert key not in problem


@pytest.mark.parametrize("url", LOOPBACK)
@pytest.mark.parametrize("key", GUESSABLE)
def test_a_guessable_key_is_reported_in_the_log_on_loopback(
    key: str, url: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    settings(SECRET_KEY=key, ACTIVEPIECES_PUBLIC_URL=url)

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("SECRET_KEY: ")
    assert "secrets.token_hex(32)" in record.getMessage()
    assert key not in record.getMessage()


@pytest.mark.parametrize("url", [*PUBLIC, *LOOPBACK])
@pytest.mark.parametrize("key", GOOD)
def test_a_key_that_looks_random_is_accepted_without_a_warning(
    key: str, url: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    settings(SECRET_KEY=key, ACTIVEPIECES_PUBLIC_URL=url)

    assert caplog.records == []


def test_each_of_several_keys_is_checked() -> None:
    """An old key still verifies, so it must not be guessable either."""
    keys = [secrets.token_hex(32), "x" * 64]

    with pytest.raises(ConfigError, match="ACTIVEPIECES_SECRET_KEYS: key 2 can be guessed"):
        settings(ACTIVEPIECES_SECRET_KEYS=keys, ACTIVEPIECES_PUBLIC_URL=PUBLIC[0])


@pytest.mark.parametrize("make", [secrets.token_hex, secrets.token_urlsafe])
def test_random_keys_are_never_rejected(make: Any) -> None:
    assert [weakness(make(32)) for _ in range(200)] == [None] * 200
    assert [weakness(secrets.token_hex(16)) for _ in range(200)] == [None] * 200


def test_every_key_in_the_documentation_is_recognized_as_an_example() -> None:
    pages = [README, *PAGES, ROOT / "example_app" / "README.md"]
    code = "\n".join(path.read_text("utf-8") for path in pages)
    shown = re.findall(r"""SECRET_KEYS?["']?\]? ?= ?["']([^"'$]{8,})["']""", code)
    listed = re.findall(r"`\[\"(the .*? digits)\", \"(the .*? digits)\"\]`", code)

    assert shown
    assert listed
    assert {*shown, *(key for pair in listed for key in pair)} <= PLACEHOLDERS
