"""Fields for forms of Activepieces for which marshmallow has no field.

For other forms, use the fields of marshmallow; docs/piece-properties.md lists the form of every class.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from marshmallow import ValidationError, fields
from werkzeug.datastructures import FileStorage

Choice = tuple[str, Any]
NoteStyle = Literal["INFO", "WARNING", "TIP", "BORDERLESS"]


class LongText(fields.String):
    """Text of several lines."""


class RichText(fields.String):
    """Formatted text. Requires Activepieces 0.86, which has an editor for it.

    ``format_field`` names the field in which users choose the format: ``plain``, ``html`` or ``markdown``.
    """

    def __init__(self, *, format_field: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.format_field = format_field


class Color(fields.String):
    """A color, as ``#rrggbb``."""


class Secret(fields.String):
    """Text that the form hides. Only for forms of `auth`."""


class Json(fields.Raw):
    """Any JSON value."""


class File(fields.Raw):
    """An uploaded file. The view or function gets a `werkzeug.datastructures.FileStorage`."""

    default_error_messages = {"invalid": "Not an uploaded file."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise self.make_error("invalid")
        return value


class Day(fields.Date):
    """A date from a calendar. Unlike `marshmallow.fields.Date`, it accepts the time that Activepieces adds."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> dt.date:
        # The engine sends every date as 2025-01-31T00:00:00.000Z.
        day = value.partition("T")[0] if isinstance(value, str) else value
        loaded: dt.date = super()._deserialize(day, attr, data, **options)
        return loaded


#: How long ago each relative period begins.
_PERIODS = {
    "last_24_hours": dt.timedelta(days=1),
    "last_7_days": dt.timedelta(days=7),
    "last_30_days": dt.timedelta(days=30),
    "last_90_days": dt.timedelta(days=90),
}
#: The periods that the form offers.
PRESETS = frozenset([*_PERIODS, "any_time", "this_month", "custom"])


class DateRange(fields.Field[dict[str, "dt.datetime | None"]]):
    """A period. Requires Activepieces 0.86, which has a form for it.

    It loads ``{"after": …, "before": …}``: each a time or None. A period such as "the last 7 days" is calculated when
    the field is loaded, so it is different in each run of a flow.
    """

    default_error_messages = {"invalid": "Not a valid period."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> dict[str, dt.datetime | None]:
        try:
            return resolve_period(value, now=dt.datetime.now(dt.timezone.utc))
        except (AttributeError, KeyError, ValueError):
            raise self.make_error("invalid") from None


def resolve_period(value: Mapping[str, Any], *, now: dt.datetime) -> dict[str, dt.datetime | None]:
    """The times of a period, as Activepieces sends it. `ValueError` if it is invalid."""
    preset = value.get("preset") or "any_time"
    if preset == "custom":
        return {"after": _time(value.get("after")), "before": _time(value.get("before"))}
    return {"after": _since(preset, now), "before": None}


def _since(preset: str, now: dt.datetime) -> dt.datetime | None:
    if preset == "any_time":
        return None
    if preset == "this_month":
        return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return now - _PERIODS[preset]


def _time(value: str | None) -> dt.datetime | None:
    if not value:
        return None
    try:
        # Python 3.10 does not read the Z.
        return fields.AwareDateTime(default_timezone=dt.timezone.utc).deserialize(value.replace("Z", "+00:00"))
    except ValidationError as error:
        raise ValueError(value) from error


class Dynamic(fields.Dict):
    """More fields, which depend on others: the declared options with this name return a schema.

    When one of the ``refreshers`` changes, the fields are loaded again.
    """

    def __init__(self, options: str, *, refreshers: Sequence[str] = (), **keywords: Any) -> None:
        super().__init__(**keywords)
        self.options = options
        self.refreshers = tuple(refreshers)


class Note(fields.Raw):
    """A text in the form, in Markdown. It has no value."""

    def __init__(self, text: str, *, style: NoteStyle = "INFO") -> None:
        super().__init__(load_only=True)
        self.text = text
        self.style = style


class Custom(fields.Raw):
    """Your own form. ``code`` is a JavaScript function that Activepieces runs in the builder."""

    def __init__(self, code: str, **options: Any) -> None:
        super().__init__(**options)
        self.code = code
