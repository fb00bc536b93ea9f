"""How events reach flows: webhook or polling."""

from __future__ import annotations

import pytest

from flask_activepieces.config.settings import Settings
from flask_activepieces.errors import ConfigError

KEY = "a secret key that is long enough"


def trigger_delivery(value: object) -> str:
    """The setting as it is read."""
    return Settings.from_app_config({"SECRET_KEY": KEY, "ACTIVEPIECES_TRIGGER_DELIVERY": value}).trigger_delivery


@pytest.mark.parametrize(
    ("value", "read"), [(None, "webhook"), ("", "webhook"), ("webhook", "webhook"), ("polling", "polling")]
)
def test_events_are_sent_unless_flows_ask_for_them(value: object, read: str) -> None:
    assert trigger_delivery(value) == read


@pytest.mark.parametrize("value", ["push", "Webhook", 5, ["polling"]])
def test_another_way_does_not_exist(value: object) -> None:
    with pytest.raises(ConfigError, match="ACTIVEPIECES_TRIGGER_DELIVERY"):
        trigger_delivery(value)
