"""The fields, and the camelCase names, that the schemas of the integration API share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING
from dataclasses import fields as dataclass_fields
from math import isfinite
from typing import Any, get_args

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, Regexp

from ...api_client.resources.connection_values import (
    UPPER_CASE_GRANT_TYPES,
    VALUES,
    AuthorizationMethod,
    GrantType,
    Value,
)

#: How deeply a caller may nest JSON.
_MAX_DEPTH = 50
#: In Python, ``$`` also matches before a final newline.
_PIECE_NAME = r"^(@[A-Za-z0-9_-][A-Za-z0-9_.-]*/)?[A-Za-z0-9_-][A-Za-z0-9_.-]*$(?!\n)"

#: The parts of a connection's value as JSON Schema, by the annotation of the field.
_VALUE_PROPERTIES: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "str | None": {"type": ["string", "null"]},
    "Mapping[str, Any]": {"type": "object"},
    "Mapping[str, Any] | None": {"type": ["object", "null"]},
    "AuthorizationMethod | None": {"enum": [*get_args(AuthorizationMethod), None]},
    "GrantType | None": {"enum": [*get_args(GrantType), *UPPER_CASE_GRANT_TYPES, None]},
}


class CamelSchema(Schema):
    """A schema whose names are camelCase in JSON, as in Activepieces' own API."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Set the field's name in JSON."""
        first, *rest = (field_obj.data_key or field_name).split("_")
        field_obj.data_key = first + "".join(map(str.capitalize, rest))


class String(fields.String):
    """A non-empty string that every database and every JSON reader accepts."""

    def __init__(self, *checks: Callable[[str], object], max_length: int = 500, **options: Any) -> None:
        super().__init__(validate=[check_characters, Length(1, max_length), *checks], **options)


class PieceName(String):
    """The full name of a piece, an npm package; it becomes part of paths, and must not lead to another route."""

    def __init__(self, **options: Any) -> None:
        message = "Must be the name of a piece, such as @activepieces/piece-slack."
        super().__init__(Regexp(_PIECE_NAME, error=message), max_length=200, **options)


class LocalPath(String):
    """A path of this app, so that a redirect to it cannot lead to another site."""

    def __init__(self, **options: Any) -> None:
        super().__init__(_check_local_path, **options)


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


def value_schemas() -> list[dict[str, Any]]:
    """One schema per kind; its ``type`` is optional, because it can also be sent next to the value."""
    return [_value_schema(kind) for kind in VALUES.values()]


def _value_schema(kind: type[Value]) -> dict[str, Any]:
    return {
        "title": kind.type,
        "type": "object",
        "properties": {"type": {"const": kind.type}}
        | {each.name: _VALUE_PROPERTIES[str(each.type)] for each in dataclass_fields(kind)},
        "required": [each.name for each in dataclass_fields(kind) if each.default is MISSING],
        "additionalProperties": False,
    }


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
