"""What is generated from schemas, in addition to forms: JSON Schema, sample data and the list of output fields."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from . import fields as own
from .declarations import title_from
from .properties import AnyField, choices_of

#: How deeply a schema that contains itself is followed.
MAX_DEPTH = 4

_SAMPLES: Sequence[tuple[type[AnyField], Any]] = (
    (fields.Boolean, True),
    (fields.Integer, 1),
    # Flask encodes a Decimal as a string.
    (fields.Decimal, "1.5"),
    (fields.Number, 1.5),
    (fields.TimeDelta, 60),
    (fields.Time, "12:00:00"),
    (fields.Date, "2025-01-31"),
    (fields.DateTime, "2025-01-31T12:00:00+00:00"),
    (fields.Email, "someone@example.com"),
    (fields.Url, "https://example.com"),
    (fields.UUID, "7f6e1d34-4b5a-4c8e-9d2f-3a1b2c4d5e6f"),
    (own.Color, "#336699"),
    (fields.String, "text"),
    (fields.IP, "192.0.2.1"),
    (fields.Mapping, {}),
)

#: Marshmallow class -> the format of an output in Activepieces.
_FORMATS: Sequence[tuple[type[AnyField], str]] = (
    (fields.Email, "email"),
    (fields.Url, "url"),
    (fields.Date, "date"),
    (fields.DateTime, "datetime"),
    (fields.Number, "number"),
    (fields.Boolean, "boolean"),
    (own.RichText, "html"),
)


def json_schema(schema: Schema | None, *, loads: bool) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the values that a schema loads, or of those that it dumps."""
    if schema is None:
        return {"type": "object", "properties": {}}
    described = _object_schema(schema, loads=loads, depth=0)
    return {"type": "array", "items": described} if schema.many and not loads else described


def _object_schema(schema: Schema, *, loads: bool, depth: int) -> dict[str, Any]:
    by_name = {} if depth > MAX_DEPTH else schema.load_fields if loads else schema.dump_fields
    used = {field.data_key or name: field for name, field in by_name.items() if not isinstance(field, own.Note)}
    properties = {name: _field_schema(field, loads=loads, depth=depth) for name, field in used.items()}
    required = [name for name, field in used.items() if loads and field.required]
    described: dict[str, Any] = {"type": "object", "properties": properties}
    return {**described, "required": required} if required else described


def _field_schema(field: AnyField, *, loads: bool, depth: int) -> dict[str, Any]:
    if isinstance(field, fields.Nested):
        nested = _object_schema(field.schema, loads=loads, depth=depth + 1)
        return {"type": "array", "items": nested} if field.many else nested
    if isinstance(field, fields.List):
        return {"type": "array", "items": _field_schema(field.inner, loads=loads, depth=depth)}
    if isinstance(field, own.File):
        return {"type": "string", "description": "The content of the file, as base64 or as a data URL"}
    if isinstance(field, own.DateRange):
        time = {"type": "string", "format": "date-time"}
        preset = {"enum": sorted(own.PRESETS)}
        return {"type": "object", "properties": {"preset": preset, "after": time, "before": time}}
    described: dict[str, Any] = _converter().field2property(field)
    if "title" in field.metadata:
        described["title"] = field.metadata["title"]
    return described


@lru_cache(maxsize=1)
def _converter() -> OpenAPIConverter:
    # 3.1, whose schemas are JSON Schema 2020-12.
    return OpenAPIConverter("3.1.0", lambda schema: None, None)  # type: ignore[arg-type]  # its spec is for references


def sample(schema: Schema) -> dict[str, Any]:
    """An example of an object that the schema dumps."""
    return _sample_object(schema, 0)


def _sample_object(schema: Schema, depth: int) -> dict[str, Any]:
    return {field.data_key or name: _sample(field, depth) for name, field in schema.dump_fields.items()}


def _sample(field: AnyField, depth: int) -> Any:
    if "example" in field.metadata:
        return field.metadata["example"]
    if isinstance(field, fields.List):
        return [_sample(field.inner, depth)]
    if isinstance(field, fields.Nested):
        nested = {} if depth >= MAX_DEPTH else _sample_object(field.schema, depth + 1)
        return [nested] if field.many and nested else [] if field.many else nested
    if isinstance(field, fields.Constant):
        return field.constant
    choices = choices_of(field)
    if choices:
        return choices[0][1]
    return next((value for type_, value in _SAMPLES if isinstance(field, type_)), None)


def output_fields(schema: Schema | None) -> list[dict[str, Any]]:
    """The ``outputSchema.fields`` of Activepieces: the label and format of each output in the builder."""
    return [] if schema is None else [_output(name, field, 0) for name, field in schema.dump_fields.items()]


def _output(name: str, field: AnyField, depth: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "key": field.data_key or name,
        "label": field.metadata.get("title") or title_from(name),
    }
    if field.metadata.get("description"):
        described["description"] = field.metadata["description"]
    kind = next((kind for type_, kind in _FORMATS if isinstance(field, type_)), None)
    if kind:
        described["format"] = kind
    inner = field.inner if isinstance(field, fields.List) else field
    if isinstance(inner, fields.Nested) and depth < MAX_DEPTH:
        nested = [_output(each_name, each, depth + 1) for each_name, each in inner.schema.dump_fields.items()]
        is_list = isinstance(field, fields.List) or inner.many
        described["listItems" if is_list else "children"] = nested
    return described
