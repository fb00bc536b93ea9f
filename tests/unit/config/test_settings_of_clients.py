"""Which clients may come without being registered: ACTIVEPIECES_CLIENT_DOCUMENTS and _DYNAMIC_REGISTRATION."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.config.settings import Settings
from flask_activepieces.errors import ConfigError

KEY = "a secret key that is long enough"


def settings(**config: Any) -> Settings:
    return Settings.from_app_config({"SECRET_KEY": KEY, **{f"ACTIVEPIECES_{name}": config[name] for name in config}})


@pytest.mark.parametrize(
    ("value", "read"), [(None, None), ("", None), (True, True), ("true", True), (False, False), ("0", False)]
)
def test_documents_are_on_off_or_left_to_the_endpoint(value: object, read: bool | None) -> None:
    assert settings(CLIENT_DOCUMENTS=value).client_documents is read


@pytest.mark.parametrize(("value", "read"), [(None, False), ("", False), ("True", True), (False, False)])
def test_documents_on_loopback_are_off_by_default(value: object, read: bool) -> None:
    assert settings(CLIENT_DOCUMENTS_ON_LOOPBACK=value).client_documents_on_loopback is read


@pytest.mark.parametrize(("value", "read"), [(None, False), ("", False), ("True", True), (False, False)])
def test_dynamic_registration_is_off_by_default(value: object, read: bool) -> None:
    assert settings(DYNAMIC_REGISTRATION=value).dynamic_registration is read


@pytest.mark.parametrize("name", ["CLIENT_DOCUMENTS", "CLIENT_DOCUMENTS_ON_LOOPBACK", "DYNAMIC_REGISTRATION"])
@pytest.mark.parametrize("value", ["yes", 2, ["true"]])
def test_another_value_is_reported(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"ACTIVEPIECES_{name}: must be True or False"):
        settings(**{name: value})


def test_an_app_for_others_does_not_read_documents_of_its_own_machine() -> None:
    with pytest.raises(ConfigError, match="ACTIVEPIECES_CLIENT_DOCUMENTS_ON_LOOPBACK: for development only"):
        settings(
            CLIENT_DOCUMENTS_ON_LOOPBACK=True,
            PUBLIC_URL="https://app.example.com",
            SECRET_KEYS=["b3a1f0c47d9e2856b3a1f0c47d9e2857"],
        )
    for url in ("http://localhost:5000", "https://127.0.0.1"):
        assert settings(CLIENT_DOCUMENTS_ON_LOOPBACK=True, PUBLIC_URL=url).client_documents_on_loopback
