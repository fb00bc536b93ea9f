"""Whether and where agents find the app: ACTIVEPIECES_MCP and ACTIVEPIECES_MCP_PATH."""

from __future__ import annotations

import logging
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
def test_the_endpoint_is_on_off_or_left_to_the_declarations(value: object, read: bool | None) -> None:
    assert settings(MCP=value).mcp_enabled is read


@pytest.mark.parametrize("value", ["yes", "maybe", 2, ["true"]])
def test_another_value_is_reported(value: object) -> None:
    with pytest.raises(ConfigError, match="ACTIVEPIECES_MCP: must be True or False"):
        settings(MCP=value)


@pytest.mark.parametrize(("value", "read"), [(None, "/mcp"), ("", "/mcp"), ("/agents/mcp", "/agents/mcp")])
def test_the_path_has_a_default(value: object, read: str) -> None:
    assert settings(MCP_PATH=value).mcp_path == read


@pytest.mark.parametrize(
    "value", ["/", "mcp", "/mcp/", "//mcp", "/mcp?x=1", "/mcp#x", "/<name>", "https://app.example.com/mcp"]
)
def test_what_is_not_a_path_is_reported(value: str) -> None:
    with pytest.raises(ConfigError, match="ACTIVEPIECES_MCP_PATH: must be a path"):
        settings(MCP_PATH=value)


def test_the_key_is_shorter_than_the_name_of_the_field(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        settings(MCP=True, MCP_ENABLED=True)

    (warning,) = caplog.messages
    assert "ACTIVEPIECES_MCP_ENABLED is not a setting of this version." in warning
