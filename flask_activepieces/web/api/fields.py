"""The fields and the naming that the schemas of the integration API share."""

from __future__ import annotations

from math import isfinite
from typing import Any

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, Regexp

from ...clock import as_iso

#: So deep may JSON be nested that a caller makes up.
_DEEPEST = 50
#: Python's end of the text may have a newline behind it.
_PIECE_NAME = r"^(@[A-Za-z0-9_-][A-Za-z0-9_.-]*/)?[A-Za-z0-9_-][A-Za-z0-9_.-]*$(?!\n)"


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
        check_text(text)
        return text


class PieceName(Text):
    """The full name of a piece: an npm package, which ends up in paths and can lead to no other route."""

    def __init__(self, **options: Any) -> None:
        super().__init__(most=200, **options)
        wrong = "It must be a name such as @activepieces/piece-slack."
        self.validators.append(Regexp(_PIECE_NAME, error=wrong))


class JsonObject(fields.Dict):
    """An object of JSON with anything in it that is text, number, list and so on all the way down."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        found = super()._deserialize(value, attr, data, **options)  # type: ignore[no-untyped-call]
        _check_json(found)
        return found


class Flag(fields.Boolean):
    """True or false as JSON has them, and no 0, "yes" or "off" in their place."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Instant(fields.String):
    """A moment, kept as whole seconds and shown in ISO 8601."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"format": "date-time"}, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> str | None:
        return None if value is None else as_iso(value)


def _check_json(value: object, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise ValidationError("It is nested too deeply.")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, float) and not isfinite(value):
        raise ValidationError("It has a number that JSON does not know.")
    elif isinstance(value, dict):
        for name, item in value.items():
            check_text(name)
            _check_json(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_json(item, depth + 1)


def check_text(text: str) -> None:
    """`ValidationError` for a text that some database, or some reader of JSON, does not take."""
    # PostgreSQL takes no text with a NUL in it; half of a surrogate pair is no character at all.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError("It has characters that are none.")
