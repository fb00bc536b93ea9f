"""The fields, and the camelCase names, that the schemas of the integration API share."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, Regexp

from ...clock import as_iso

#: How deeply a caller may nest JSON.
_MAX_DEPTH = 50
#: In Python, ``$`` also matches before a final newline.
_PIECE_NAME = r"^(@[A-Za-z0-9_-][A-Za-z0-9_.-]*/)?[A-Za-z0-9_-][A-Za-z0-9_.-]*$(?!\n)"


class CamelSchema(Schema):
    """A schema whose names are camelCase in JSON, as in Activepieces' own API."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Set the field's name in JSON."""
        first, *rest = (field_obj.data_key or field_name).split("_")
        field_obj.data_key = first + "".join(map(str.capitalize, rest))


class AnswerSchema(Schema):
    """A response, in which every field is present unless it is optional."""

    optional: ClassVar[frozenset[str]] = frozenset()

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Document the field as required."""
        super().on_bind_field(field_name, field_obj)
        field_obj.required = field_name not in self.optional


class CamelAnswerSchema(AnswerSchema, CamelSchema):
    """A response with camelCase names."""


def list_of(schema: type[Schema], name: str) -> Schema:
    """The response ``{"data": [...]}``; the name is that of its schema in the OpenAPI document."""
    data = fields.List(fields.Nested(schema), required=True)
    return Schema.from_dict({"data": data}, name=name)()


class String(fields.String):
    """A non-empty string that every database and every JSON reader accepts."""

    def __init__(self, *, max_length: int = 500, **options: Any) -> None:
        super().__init__(validate=[check_characters, Length(1, max_length)], **options)


class PieceName(String):
    """The full name of a piece, an npm package; it becomes part of paths, and must not lead to another route."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, **options)
        message = "Must be the name of a piece, such as @activepieces/piece-slack."
        self.validators.append(Regexp(_PIECE_NAME, error=message))


class LocalPath(String):
    """A path of this app, so that a redirect to it cannot lead to another site."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(_check_local_path)


class JsonObject(fields.Dict):
    """A JSON object with any contents."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=_check_json, **options)


class JsonStrings(fields.String):
    """A query parameter that holds a JSON object of strings."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        try:
            parsed = json.loads(super()._deserialize(value, attr, data, **options))
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict) or not all(isinstance(v, str) for v in parsed.values()):
            raise ValidationError("Must be a JSON object of strings.")
        _check_json(parsed)
        return parsed


class StrictBoolean(fields.Boolean):
    """A JSON true or false; marshmallow's own field also accepts 0, "yes" and "off"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Instant(fields.String):
    """A time, stored as whole seconds and written in ISO 8601."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"format": "date-time"}, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> str | None:
        return None if value is None else as_iso(value)


def check_characters(value: str) -> None:
    """`ValidationError` for characters that some database, or some JSON reader, rejects."""
    # PostgreSQL stores no NUL, and half of a surrogate pair is not a character.
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValidationError("Contains invalid characters.")


def _check_local_path(path: str) -> None:
    # Browsers read a backslash as a slash, and drop control characters.
    is_plain = path.isprintable() and "\\" not in path
    if not is_plain or not path.startswith("/") or path.startswith("//"):
        raise ValidationError("Must be a path of this app.")


def _check_json(value: object, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise ValidationError("Is nested too deeply.")
    if isinstance(value, str):
        check_characters(value)
    elif isinstance(value, float) and not isfinite(value):
        raise ValidationError("Contains a number that is not valid JSON.")
    elif isinstance(value, dict | list):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_json(item, depth + 1)
