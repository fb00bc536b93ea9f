"""The form of an action or trigger: each marshmallow field as a property of Activepieces.

docs/piece-properties.md has the table, and a test compares it with this module.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, cast

from marshmallow import Schema, fields, missing
from marshmallow.validate import ContainsOnly, Length, OneOf

from . import fields as own
from .declarations import title_from

Property = dict[str, Any]

#: Longer texts get a field of several lines.
SHORT_TEXT_LENGTH = 255

#: What a field of a list of objects may be.
IN_ARRAY = frozenset(
    ["SHORT_TEXT", "LONG_TEXT", "NUMBER", "CHECKBOX", "DATE_TIME", "FILE", "STATIC_DROPDOWN"]
    + ["STATIC_MULTI_SELECT_DROPDOWN", "MULTI_SELECT_DROPDOWN"]
)
IN_OAUTH2 = frozenset(["SHORT_TEXT", "SECRET_TEXT", "STATIC_DROPDOWN"])
IN_CUSTOM_AUTH = IN_OAUTH2 | {"LONG_TEXT", "NUMBER", "CHECKBOX", "MARKDOWN", "STATIC_MULTI_SELECT_DROPDOWN"}
#: What a form loads later may have fewer kinds.
IN_DYNAMIC = frozenset(["SHORT_TEXT", "STATIC_DROPDOWN", "JSON", "ARRAY", "STATIC_MULTI_SELECT_DROPDOWN"])
#: Kinds that are known only to 0.86 and later.
SINCE_0_86 = frozenset(["RICH_TEXT", "DATE_RANGE"])
#: A hidden field is for an authentication only.
IN_FORM = (
    IN_ARRAY | IN_DYNAMIC | SINCE_0_86 | frozenset(["MARKDOWN", "DROPDOWN", "OBJECT", "DYNAMIC", "CUSTOM", "COLOR"])
)

#: Marshmallow class -> kind; the first that fits. Choices and lists come before this table.
KINDS: Sequence[tuple[type[fields.Field[Any]], str]] = (
    (own.Note, "MARKDOWN"),
    (own.LongText, "LONG_TEXT"),
    (own.RichText, "RICH_TEXT"),
    (own.Color, "COLOR"),
    (own.Secret, "SECRET_TEXT"),
    (own.File, "FILE"),
    (own.DateRange, "DATE_RANGE"),
    (own.Dynamic, "DYNAMIC"),
    (own.Custom, "CUSTOM"),
    (fields.Boolean, "CHECKBOX"),
    (fields.Number, "NUMBER"),
    (fields.TimeDelta, "NUMBER"),
    (fields.DateTime, "DATE_TIME"),
    (fields.String, "SHORT_TEXT"),
    (fields.UUID, "SHORT_TEXT"),
    (fields.IP, "SHORT_TEXT"),
    (fields.Mapping, "OBJECT"),
    (fields.Nested, "JSON"),
    (fields.Raw, "JSON"),
)


class UnknownKind(ValueError):
    """The field has no form in Activepieces, or not in this place."""


def properties_of(schema: Schema | None, *, allowed: frozenset[str] = IN_FORM) -> dict[str, Property]:
    """The fields of a schema that can be loaded, in the order of their metadata ``order``, then of the schema.

    `UnknownKind` names the first field without a form.
    """
    return {name: property_of(name, field, allowed=allowed) for name, field in input_fields(schema)}


def input_fields(schema: Schema | None) -> Iterator[tuple[str, fields.Field[Any]]]:
    """The name in requests of each field that can be loaded, and the field."""
    by_name = {} if schema is None else schema.load_fields
    ordered = sorted(by_name.items(), key=lambda item: item[1].metadata.get("order", 0))
    for name, field in ordered:
        yield field.data_key or name, field


def value_fields(schema: Schema | None) -> Iterator[tuple[str, fields.Field[Any]]]:
    """The same without notes, which have no value."""
    return ((name, field) for name, field in input_fields(schema) if not isinstance(field, own.Note))


def property_of(name: str, field: fields.Field[Any], *, allowed: frozenset[str] = IN_FORM) -> Property:
    """One field of the form."""
    kind, details = _kind(field)
    if kind not in allowed:
        raise UnknownKind(f"{name}: a field of the kind {kind} is not possible here; use {_any_of(allowed)}")
    described = {
        "type": kind,
        "displayName": field.metadata.get("title") or title_from(name),
        "description": _description(field),
        "required": field.required and kind != "MARKDOWN",
        **details(name, field),
    }
    default = field.load_default
    if kind != "MARKDOWN" and default is not missing and default is not None and not callable(default):
        described["defaultValue"] = field.serialize(name, {name: default}) if field.data_key is None else default
    if "placeholder" in field.metadata:
        described["placeholder"] = field.metadata["placeholder"]
    return described


def _kind(field: fields.Field[Any]) -> tuple[str, Callable[[str, fields.Field[Any]], Property]]:
    """The kind of the form, and the function for what only this kind has."""
    if isinstance(field, fields.List):
        return _list_kind(field.inner)
    if "options" in field.metadata:
        return "DROPDOWN", _options
    if _choices(field) is not None:
        return "STATIC_DROPDOWN", _static_options
    if isinstance(field, fields.Nested) and not isinstance(field, own.DateRange) and field.many:
        return "ARRAY", _array
    kind = next((kind for type_, kind in KINDS if isinstance(field, type_)), None)
    if kind is None:
        raise UnknownKind(f"{type(field).__name__} has no form in Activepieces; see docs/piece-properties.md")
    if kind == "SHORT_TEXT" and _is_long(field):
        return "LONG_TEXT", _nothing
    return kind, _DETAILS.get(kind, _nothing)


def _list_kind(inner: fields.Field[Any]) -> tuple[str, Callable[[str, fields.Field[Any]], Property]]:
    if isinstance(inner, own.File):
        raise UnknownKind("a list of files has no form in Activepieces; use several fields, or a list of objects")
    if "options" in inner.metadata:
        return "MULTI_SELECT_DROPDOWN", lambda name, field: _options(name, inner)
    if _choices(inner) is not None:
        return "STATIC_MULTI_SELECT_DROPDOWN", lambda name, field: _static_options(name, inner)
    if isinstance(inner, fields.List):
        raise UnknownKind("a list of lists has no form in Activepieces; use Json")
    return "ARRAY", _array


def _nothing(name: str, field: fields.Field[Any]) -> Property:
    return {}


def _options(name: str, field: fields.Field[Any]) -> Property:
    return {"options": field.metadata["options"], "refreshers": list(field.metadata.get("refreshers", ()))}


def _static_options(name: str, field: fields.Field[Any]) -> Property:
    choices = _choices(field) or []
    return {"options": {"options": [{"label": label, "value": value} for label, value in choices]}}


def _array(name: str, field: fields.Field[Any]) -> Property:
    inner = field.inner if isinstance(field, fields.List) else field
    if not isinstance(inner, fields.Nested):
        return {}
    try:
        return {"properties": properties_of(inner.schema, allowed=IN_ARRAY)}
    except UnknownKind as problem:
        raise UnknownKind(f"{name}.{problem}") from None


def _note(name: str, field: fields.Field[Any]) -> Property:
    assert isinstance(field, own.Note)
    return {"description": field.text, "variant": field.style}


def _dynamic(name: str, field: fields.Field[Any]) -> Property:
    assert isinstance(field, own.Dynamic)
    return {"props": field.options, "refreshers": list(field.refreshers)}


def _custom(name: str, field: fields.Field[Any]) -> Property:
    assert isinstance(field, own.Custom)
    return {"code": field.code}


def _rich_text(name: str, field: fields.Field[Any]) -> Property:
    assert isinstance(field, own.RichText)
    return {"formatProperty": field.format_field} if field.format_field else {}


_DETAILS: Mapping[str, Callable[[str, fields.Field[Any]], Property]] = {
    "MARKDOWN": _note,
    "DYNAMIC": _dynamic,
    "CUSTOM": _custom,
    "RICH_TEXT": _rich_text,
}


def _choices(field: fields.Field[Any]) -> list[own.Choice] | None:
    """Label and value of each possible value; None if the field is open."""
    if isinstance(field, fields.Enum):
        members = cast(Iterable[enum.Enum], field.enum)
        return [(title_from(each.name.lower()), each.value if field.by_value else each.name) for each in members]
    for validator in field.validators:
        if isinstance(validator, OneOf) and not isinstance(validator, ContainsOnly):
            pairs = zip_longest(validator.choices, validator.labels)
            return [(label or title_from(str(value)), value) for value, label in pairs]
    return None


def _is_long(field: fields.Field[Any]) -> bool:
    limits = [each.max for each in field.validators if isinstance(each, Length) and each.max is not None]
    return any(limit > SHORT_TEXT_LENGTH for limit in limits)


def _description(field: fields.Field[Any]) -> str:
    texts = [field.metadata.get("description", ""), field.metadata.get("help", "")]
    return " ".join(text.strip() for text in texts if text)


def _any_of(kinds: frozenset[str]) -> str:
    *others, last = sorted(kinds)
    return f"{', '.join(others)} or {last}"
