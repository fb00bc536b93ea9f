"""The fields and the naming that the schemas of the integration API share."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length

from ..clock import as_iso


class CamelSchema(Schema):
    """A schema whose names are camelCase in JSON, as Activepieces writes its own."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name the field in JSON."""
        first, *rest = (field_obj.data_key or field_name).split("_")
        field_obj.data_key = first + "".join(word.capitalize() for word in rest)


class Text(fields.String):
    """A text that every database and every JSON reader can take, neither empty nor longer than ``most``."""

    def __init__(self, *, most: int = 500, **options: Any) -> None:
        super().__init__(validate=Length(min=1, max=most), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **options)
        # A NUL ends a request of PostgreSQL; half of a surrogate pair is no character at all.
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise ValidationError("It has characters that are none.")
        return text


class Instant(fields.String):
    """A moment, kept as whole seconds and shown in ISO 8601."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"format": "date-time"}, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> str | None:
        return None if value is None else as_iso(value)
