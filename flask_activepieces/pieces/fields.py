"""Marshmallow fields for the forms of Activepieces that marshmallow itself has no field for.

The other fields keep their marshmallow classes; docs/piece-properties.md maps every class to its form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from marshmallow import Schema, fields
from werkzeug.datastructures import FileStorage

Choice = tuple[str, Any]
NoteStyle = Literal["INFO", "WARNING", "TIP", "BORDERLESS"]


class LongText(fields.String):
    """Text of several lines."""


class RichText(fields.String):
    """Formatted text. Activepieces has an editor for it since 0.86, which this field therefore requires.

    ``format_field`` names the field that chooses the format: ``plain``, ``html`` or ``markdown``.
    """

    def __init__(self, *, format_field: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.format_field = format_field


class Color(fields.String):
    """A color, as ``#rrggbb``."""


class Secret(fields.String):
    """Text that the form hides; only in the fields of an authentication."""


class Json(fields.Raw):
    """Any JSON value."""


class File(fields.Raw):
    """An uploaded file. The view or function gets a `werkzeug.datastructures.FileStorage`."""

    default_error_messages = {"invalid": "Not an uploaded file."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise self.make_error("invalid")
        return value


class DateRange(fields.Nested):
    """A period. Activepieces has a form for it since 0.86, which this field therefore requires.

    The value is ``{"preset", "after", "before"}``; the runtime resolves presets such as ``last_7_days`` to times.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(_DateRangeSchema, **options)


class Dynamic(fields.Dict):
    """Further fields that depend on others: the declared options with this name return a schema.

    ``refreshers`` are the fields whose change loads them again.
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
    """A form of your own: ``code`` is the JavaScript function that Activepieces runs in the builder."""

    def __init__(self, code: str, **options: Any) -> None:
        super().__init__(**options)
        self.code = code


class _DateRangeSchema(Schema):
    preset = fields.String()
    after = fields.String()
    before = fields.String()
