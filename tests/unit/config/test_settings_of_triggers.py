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


def delivery_lease(value: object) -> int:
    """The setting as it is read."""
    return Settings.from_app_config({"SECRET_KEY": KEY, "ACTIVEPIECES_DELIVERY_LEASE": value}).delivery_lease


@pytest.mark.parametrize(("value", "read"), [(None, 90), ("", 90), ("9", 9), (600, 600)])
def test_a_lease_has_a_length(value: object, read: int) -> None:
    assert delivery_lease(value) == read


@pytest.mark.parametrize("value", [8, 601, "long", -1, 9.5])
def test_a_lease_that_is_too_short_or_too_long_is_rejected(value: object) -> None:
    with pytest.raises(ConfigError, match="ACTIVEPIECES_DELIVERY_LEASE"):
        delivery_lease(value)
