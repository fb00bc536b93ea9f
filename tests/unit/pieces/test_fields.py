"""The fields of forms load what Activepieces sends."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from marshmallow import ValidationError

from flask_activepieces.pieces.fields import DateRange, Day, resolve_period

NOW = dt.datetime(2025, 3, 15, 12, 30, tzinfo=dt.timezone.utc)


def test_a_day_drops_the_time_that_activepieces_adds() -> None:
    assert Day().deserialize("2025-01-31T00:00:00.000Z") == dt.date(2025, 1, 31)


def test_a_day_accepts_a_date_alone() -> None:
    assert Day().deserialize("2025-01-31") == dt.date(2025, 1, 31)


@pytest.mark.parametrize("value", ["tomorrow", "T", "2025-02-30", 5, ["2025-01-31"]])
def test_a_day_rejects_what_is_no_date(value: Any) -> None:
    with pytest.raises(ValidationError, match="Not a valid date"):
        Day().deserialize(value)


@pytest.mark.parametrize(
    ("preset", "after"),
    [
        ("any_time", None),
        ("last_24_hours", dt.datetime(2025, 3, 14, 12, 30, tzinfo=dt.timezone.utc)),
        ("last_7_days", dt.datetime(2025, 3, 8, 12, 30, tzinfo=dt.timezone.utc)),
        ("last_30_days", dt.datetime(2025, 2, 13, 12, 30, tzinfo=dt.timezone.utc)),
        ("last_90_days", dt.datetime(2024, 12, 15, 12, 30, tzinfo=dt.timezone.utc)),
        ("this_month", dt.datetime(2025, 3, 1, tzinfo=dt.timezone.utc)),
    ],
)
def test_a_relative_period_counts_from_now(preset: str, after: dt.datetime | None) -> None:
    assert resolve_period({"preset": preset}, now=NOW) == {"after": after, "before": None}


def test_a_custom_period_has_the_times_that_were_chosen() -> None:
    value = {"preset": "custom", "after": "2025-01-01T00:00:00.000Z", "before": ""}

    assert resolve_period(value, now=NOW) == {
        "after": dt.datetime(2025, 1, 1, tzinfo=dt.timezone.utc),
        "before": None,
    }


def test_a_period_without_a_choice_is_any_time() -> None:
    assert DateRange().deserialize({}) == {"after": None, "before": None}


@pytest.mark.parametrize(
    "value",
    ["last_7_days", {"preset": "last_year"}, {"preset": "custom", "after": "soon"}, {"preset": "custom", "after": 5}],
)
def test_what_is_no_period_is_rejected(value: Any) -> None:
    with pytest.raises(ValidationError, match="Not a valid period"):
        DateRange().deserialize(value)
