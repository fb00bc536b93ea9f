"""The schemas of responses, which take the types of their fields from the dataclasses that they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import NoneType
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from marshmallow import Schema, fields

from ...clock import as_iso
from .fields import CamelSchema


class AnswerSchema(Schema):
    """A response, in which every field is present unless it is optional."""

    optional: ClassVar[frozenset[str]] = frozenset()

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Document the field as required."""
        super().on_bind_field(field_name, field_obj)
        field_obj.required = field_name not in self.optional


class CamelAnswerSchema(AnswerSchema, CamelSchema):
    """A response with camelCase names."""


class Instant(fields.String):
    """A time, stored as whole seconds and written in ISO 8601."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"format": "date-time"}, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> str | None:
        return None if value is None else as_iso(value)


class IsSet(fields.Boolean):
    """Whether the attribute has a value."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> bool:
        return value is not None


#: By the annotation without its arguments.
_FIELDS: Mapping[object, Callable[..., fields.Field[Any]]] = {
    str: fields.String,
    Literal: fields.String,
    bool: fields.Boolean,
    int: fields.Integer,
    tuple: partial(fields.List, fields.String),
    Mapping: partial(fields.Dict, keys=fields.String),
}


def fields_of(model: type[Any], names: str, **descriptions: str) -> dict[str, fields.Field[Any]]:
    """The fields that show these attributes of a class, for ``Meta.include``.

    Only what is named here is shown, so that no response shows a new attribute, such as a secret, by accident.
    """
    described = dict.fromkeys(names.split(), "") | descriptions
    return {name: _field(_annotation(model, name), description) for name, description in described.items()}


def list_of(schema: type[Schema], title: str, *cursors: str) -> Schema:
    """The response ``{"data": […]}`` with the cursors of other pages; its title is for the OpenAPI document."""
    data = {"data": fields.List(fields.Nested(schema), required=True)}
    others = {name: fields.String(allow_none=True, required=True) for name in cursors}
    return Schema.from_dict({**data, **others}, name=title)()


def _annotation(model: type[Any], name: str) -> Any:
    attribute = getattr(model, name, None)
    if isinstance(attribute, property):
        return get_type_hints(attribute.fget)["return"]
    return get_type_hints(model)[name]


def _field(annotation: Any, description: str) -> fields.Field[Any]:
    allow_none = NoneType in get_args(annotation)
    if allow_none:
        annotation = next(each for each in get_args(annotation) if each is not NoneType)
    make = _FIELDS[get_origin(annotation) or annotation]
    return make(allow_none=allow_none, metadata={"description": description} if description else {})
