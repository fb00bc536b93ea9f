"""The form of an action or trigger: each marshmallow field as a property of Activepieces.

docs/piece-properties.md has the table, and a test compares it with this module.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any, cast

from marshmallow import Schema, fields, missing
from marshmallow.validate import ContainsOnly, Length, OneOf

from . import fields as own
from .declarations import title_from

Property = dict[str, Any]
AnyField = fields.Field[Any]

#: Longer texts get a form of several lines.
SHORT_TEXT_LENGTH = 255

#: The kinds that an item of a plain list can have. Activepieces shows a line of text for each.
IN_LIST = frozenset(["SHORT_TEXT", "LONG_TEXT", "NUMBER", "CHECKBOX", "DATE_TIME", "COLOR"])
#: The kinds that a field of a list of objects can have.
IN_ARRAY = frozenset(
    ["SHORT_TEXT", "LONG_TEXT", "NUMBER", "CHECKBOX", "DATE_TIME", "FILE", "STATIC_DROPDOWN"]
    + ["STATIC_MULTI_SELECT_DROPDOWN", "MULTI_SELECT_DROPDOWN"]
)
IN_OAUTH2 = frozenset(["SHORT_TEXT", "SECRET_TEXT", "STATIC_DROPDOWN"])
IN_CUSTOM_AUTH = IN_OAUTH2 | {"LONG_TEXT", "NUMBER", "CHECKBOX", "MARKDOWN", "STATIC_MULTI_SELECT_DROPDOWN"}
#: The kinds that a field of a `Dynamic` field can have.
IN_DYNAMIC = frozenset(["SHORT_TEXT", "STATIC_DROPDOWN", "JSON", "ARRAY", "STATIC_MULTI_SELECT_DROPDOWN"])
#: Kinds that only 0.86 and newer support.
SINCE_0_86 = frozenset(["RICH_TEXT", "DATE_RANGE"])
#: All kinds except SECRET_TEXT, which is only for forms of `auth`.
IN_FORM = (
    IN_ARRAY | IN_DYNAMIC | SINCE_0_86 | frozenset(["MARKDOWN", "DROPDOWN", "OBJECT", "DYNAMIC", "CUSTOM", "COLOR"])
)

#: Marshmallow class -> kind; the first that fits. Choices, lists and times are checked before this table.
KINDS: Sequence[tuple[type[AnyField], str]] = (
    (own.Note, "MARKDOWN"),
    (own.LongText, "LONG_TEXT"),
    (own.RichText, "RICH_TEXT"),
    (own.Color, "COLOR"),
    (own.Secret, "SECRET_TEXT"),
    (own.File, "FILE"),
    (own.DateRange, "DATE_RANGE"),
    (own.Dynamic, "DYNAMIC"),
    (own.Custom, "CUSTOM"),
    (own.Day, "DATE_TIME"),
    (fields.Date, "SHORT_TEXT"),
    (fields.Time, "SHORT_TEXT"),
    (fields.Boolean, "CHECKBOX"),
    (fields.Number, "NUMBER"),
    (fields.TimeDelta, "NUMBER"),
    (fields.String, "SHORT_TEXT"),
    (fields.UUID, "SHORT_TEXT"),
    (fields.IP, "SHORT_TEXT"),
    (fields.IPInterface, "SHORT_TEXT"),
    (fields.Mapping, "OBJECT"),
    (fields.Raw, "JSON"),
)
#: The kinds that the metadata ``kind`` of a text can choose, for schemas that an app also uses elsewhere.
KINDS_OF_TEXT = {"long_text": "LONG_TEXT", "rich_text": "RICH_TEXT", "color": "COLOR"}


class UnknownKind(ValueError):
    """Raised for a field without a form in Activepieces, or in this place."""


def properties_of(schema: Schema | None, *, allowed: frozenset[str] = IN_FORM) -> dict[str, Property]:
    """The fields of a schema that can be loaded, sorted by their metadata ``order``, then in the order of the schema.

    `UnknownKind` names the first field without a form.
    """
    return {name: property_of(name, field, allowed=allowed) for name, field in input_fields(schema)}


def input_fields(schema: Schema | None) -> Iterator[tuple[str, AnyField]]:
    """Each field that can be loaded, with its name in requests."""
    by_name = {} if schema is None else schema.load_fields
    ordered = sorted(by_name.items(), key=lambda item: item[1].metadata.get("order", 0))
    for name, field in ordered:
        yield field.data_key or name, field


def value_fields(schema: Schema | None) -> Iterator[tuple[str, AnyField]]:
    """The fields that can be loaded, without notes, which have no value."""
    return ((name, field) for name, field in input_fields(schema) if not isinstance(field, own.Note))


def property_of(name: str, field: AnyField, *, allowed: frozenset[str] = IN_FORM) -> Property:
    """One field of the form."""
    try:
        kind = kind_of(field)
        if kind not in allowed:
            raise UnknownKind(f"a field of the kind {kind} is not possible here; use {_any_of(allowed)}")
        described: Property = {
            "type": kind,
            "displayName": field.metadata.get("title") or title_from(name),
            "description": _description(field),
            "required": field.required and kind != "MARKDOWN",
            **_details(kind, field),
            **_default(field),
        }
    except UnknownKind as problem:
        raise UnknownKind(f"{name}: {problem}") from None
    if "placeholder" in field.metadata:
        described["placeholder"] = field.metadata["placeholder"]
    item = item_schema(field)
    if item is not None:
        described["properties"] = _item_properties(name, item)
    return described


def kind_of(field: AnyField) -> str:
    """The kind of the form; `UnknownKind` says what to use instead."""
    if options_of(field)[0] is not None and not isinstance(field, own.Dynamic):
        return "MULTI_SELECT_DROPDOWN" if isinstance(field, fields.List) else "DROPDOWN"
    if choices_of(field) is not None:
        return "STATIC_MULTI_SELECT_DROPDOWN" if isinstance(field, fields.List) else "STATIC_DROPDOWN"
    if isinstance(field, fields.List):
        return _kind_of_list(field.inner)
    if isinstance(field, fields.Pluck):
        raise UnknownKind("Pluck has no form in Activepieces; use Nested, or a List with metadata options")
    if isinstance(field, fields.Nested):
        return "JSON" if item_schema(field) is None else "ARRAY"
    if isinstance(field, fields.DateTime):
        return _kind_of_time(field)
    kind = next((kind for type_, kind in KINDS if isinstance(field, type_)), None)
    if kind is None:
        raise UnknownKind(f"{type(field).__name__} has no form in Activepieces; see docs/piece-properties.md")
    return _kind_of_text(field) if kind == "SHORT_TEXT" and isinstance(field, fields.String) else kind


def item_schema(field: AnyField) -> Schema | None:
    """The schema of the items of a list of objects."""
    inner = field.inner if isinstance(field, fields.List) else field
    if not isinstance(inner, fields.Nested) or isinstance(inner, fields.Pluck):
        return None
    is_list = isinstance(field, fields.List) or inner.many or inner.schema.many
    return inner.schema if is_list else None


def options_of(field: AnyField) -> tuple[str | None, tuple[str, ...]]:
    """The name of the declared options of a field, and the fields whose change loads them again."""
    if isinstance(field, own.Dynamic):
        return field.options, field.refreshers
    inner: Mapping[str, Any] = field.inner.metadata if isinstance(field, fields.List) else {}
    metadata = {**inner, **field.metadata}
    return metadata.get("options"), tuple(metadata.get("refreshers", ()))


def choices_of(field: AnyField) -> list[own.Choice] | None:
    """The label and value of each choice; None if the field is not a choice."""
    is_list = isinstance(field, fields.List)
    inner = field.inner if isinstance(field, fields.List) else field
    if isinstance(inner, fields.Enum):
        members = cast(Iterable[enum.Enum], inner.enum)
        return [(title_from(each.name.lower()), _as_sent(inner, each)) for each in members]
    validators = [each for each in inner.validators if isinstance(each, OneOf) and not isinstance(each, ContainsOnly)]
    validators += [each for each in field.validators if is_list and isinstance(each, ContainsOnly)]
    for validator in validators:
        pairs = zip_longest(validator.choices, validator.labels)
        return [(label or title_from(str(value)), _as_sent(inner, value)) for value, label in pairs]
    return None


def is_file(field: AnyField) -> bool:
    """Whether the field is a file, or a list of files."""
    return isinstance(field.inner if isinstance(field, fields.List) else field, own.File)


def _kind_of_list(inner: AnyField) -> str:
    if isinstance(inner, fields.Nested | own.File) and not isinstance(inner, fields.Pluck):
        return "ARRAY"
    if isinstance(inner, fields.List) or kind_of(inner) not in IN_LIST:
        raise UnknownKind(f"a list of {type(inner).__name__} has no form in Activepieces; use piece fields.Json")
    return "ARRAY"


def _kind_of_text(field: AnyField) -> str:
    wanted = field.metadata.get("kind")
    if wanted is not None and wanted not in KINDS_OF_TEXT:
        raise UnknownKind(f"metadata kind {wanted!r} does not exist; use {_any_of(KINDS_OF_TEXT)}")
    if wanted is not None:
        return KINDS_OF_TEXT[wanted]
    limits = [each.max for each in field.validators if isinstance(each, Length) and each.max is not None]
    return "LONG_TEXT" if any(limit > SHORT_TEXT_LENGTH for limit in limits) else "SHORT_TEXT"


def _kind_of_time(field: fields.DateTime) -> str:
    # The engine always sends 2025-01-31T12:00:00.000Z, even if the field loads another format.
    if isinstance(field, fields.NaiveDateTime) and field.timezone is None:
        raise UnknownKind("Activepieces sends times in UTC; use NaiveDateTime(timezone=datetime.timezone.utc)")
    if field.format in ("timestamp", "timestamp_ms"):
        return "NUMBER"
    return "DATE_TIME" if field.format in (None, "iso", "iso8601") else "SHORT_TEXT"


def _details(kind: str, field: AnyField) -> Property:
    """The members that only this kind has."""
    options, refreshers = options_of(field)
    if kind in ("DROPDOWN", "MULTI_SELECT_DROPDOWN"):
        return {"options": options, "refreshers": list(refreshers)}
    if kind == "DYNAMIC":
        return {"props": options, "refreshers": list(refreshers)}
    if kind in ("STATIC_DROPDOWN", "STATIC_MULTI_SELECT_DROPDOWN"):
        return {
            "options": {"options": [{"label": label, "value": value} for label, value in choices_of(field) or ()]}
        }
    match field:
        case own.Note():
            return {"displayName": "Markdown", "description": field.text, "variant": field.style}
        case own.Custom():
            return {"code": field.code}
        case own.RichText(format_field=str()):
            return {"formatProperty": field.format_field}
        case fields.List(inner=own.File() as file):
            # Activepieces only has lists of objects.
            return {"properties": {"file": property_of("file", file)}}
        case fields.Date() if kind == "SHORT_TEXT":
            return {"placeholder": "2025-01-31"}
        case _:
            return {}


def _item_properties(name: str, item: Schema) -> dict[str, Property]:
    try:
        return properties_of(item, allowed=IN_ARRAY)
    except UnknownKind as problem:
        raise UnknownKind(f"{name}.{problem}") from None


def _default(field: AnyField) -> Property:
    default = field.load_default
    if default is missing or default is None or callable(default):
        return {}
    return {"defaultValue": _as_sent(field, default)}


def _as_sent(field: AnyField, value: Any) -> Any:
    """The value as the JSON that the field loads."""
    try:
        sent = field.serialize("value", None, accessor=lambda *_: value)
    except (AttributeError, TypeError, ValueError):
        raise UnknownKind(f"{value!r} is not a value of {type(field).__name__}") from None
    return float(sent) if isinstance(sent, Decimal) else sent


def _description(field: AnyField) -> str:
    texts = [field.metadata.get("description", ""), field.metadata.get("help", "")]
    return " ".join(text.strip() for text in texts if text)


def _any_of(names: Iterable[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} or {last}"
