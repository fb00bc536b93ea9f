"""Each marshmallow field becomes a field of a form of Activepieces, or an error that names it."""

from __future__ import annotations

import datetime
import enum
from typing import Any

import pytest
from marshmallow import Schema, fields, validate

from flask_activepieces.pieces import fields as own
from flask_activepieces.pieces.properties import (
    IN_ARRAY,
    IN_CUSTOM_AUTH,
    IN_OAUTH2,
    UnknownKind,
    properties_of,
    property_of,
    value_fields,
)


class Priority(enum.Enum):
    LOW = 1
    HIGH = 2


class Line(Schema):
    product = fields.String(required=True)
    count = fields.Integer()


FORMS: list[tuple[fields.Field[Any], str]] = [
    (fields.String(), "SHORT_TEXT"),
    (fields.String(validate=validate.Length(max=255)), "SHORT_TEXT"),
    (fields.String(validate=validate.Length(max=256)), "LONG_TEXT"),
    (fields.Email(), "SHORT_TEXT"),
    (fields.Url(), "SHORT_TEXT"),
    (fields.UUID(), "SHORT_TEXT"),
    (fields.IP(), "SHORT_TEXT"),
    (own.LongText(), "LONG_TEXT"),
    (own.RichText(), "RICH_TEXT"),
    (fields.Integer(), "NUMBER"),
    (fields.Float(), "NUMBER"),
    (fields.Decimal(), "NUMBER"),
    (fields.TimeDelta(), "NUMBER"),
    (fields.Boolean(), "CHECKBOX"),
    (fields.DateTime(), "DATE_TIME"),
    (fields.AwareDateTime(), "DATE_TIME"),
    (fields.Date(), "DATE_TIME"),
    (fields.Time(), "SHORT_TEXT"),
    (own.DateRange(), "DATE_RANGE"),
    (fields.String(validate=validate.OneOf(["a", "b"])), "STATIC_DROPDOWN"),
    (fields.Enum(Priority), "STATIC_DROPDOWN"),
    (fields.List(fields.Enum(Priority)), "STATIC_MULTI_SELECT_DROPDOWN"),
    (fields.List(fields.String(validate=validate.OneOf(["a"]))), "STATIC_MULTI_SELECT_DROPDOWN"),
    (fields.Integer(metadata={"options": "projects"}), "DROPDOWN"),
    (fields.List(fields.Integer(metadata={"options": "projects"})), "MULTI_SELECT_DROPDOWN"),
    (fields.List(fields.String()), "ARRAY"),
    (fields.List(fields.Nested(Line)), "ARRAY"),
    (fields.Nested(Line, many=True), "ARRAY"),
    (fields.Nested(Line), "JSON"),
    (fields.Dict(), "OBJECT"),
    (fields.Raw(), "JSON"),
    (own.Json(), "JSON"),
    (own.File(), "FILE"),
    (own.Color(), "COLOR"),
    (own.Dynamic("more"), "DYNAMIC"),
    (own.Note("Read this"), "MARKDOWN"),
    (own.Custom("(ctx) => {}"), "CUSTOM"),
]


@pytest.mark.parametrize(("field", "kind"), FORMS, ids=lambda each: str(each)[:40])
def test_each_field_has_its_form(field: fields.Field[Any], kind: str) -> None:
    assert property_of("field", field)["type"] == kind


@pytest.mark.parametrize(
    "field",
    [fields.Tuple((fields.String(),)), fields.Constant("x"), fields.List(fields.List(fields.String()))],
    ids=lambda each: type(each).__name__,
)
def test_a_field_without_a_form_is_an_error_that_names_its_class_or_a_remedy(field: fields.Field[Any]) -> None:
    with pytest.raises(UnknownKind, match=r"^field: .*(docs/piece-properties\.md|use Json)"):
        property_of("field", field)


@pytest.mark.parametrize(
    ("field", "allowed"),
    [(own.Secret(), IN_ARRAY), (own.File(), IN_CUSTOM_AUTH), (fields.Integer(), IN_OAUTH2)],
    ids=["secret outside an authentication", "file in an authentication", "number in OAuth2"],
)
def test_a_form_in_the_wrong_place_is_an_error_that_names_the_field(
    field: fields.Field[Any], allowed: frozenset[str]
) -> None:
    with pytest.raises(UnknownKind, match=r"^amount: a field of the kind \w+ is not possible here; use "):
        property_of("amount", field, allowed=allowed)


def test_an_unsuitable_field_in_a_list_of_objects_is_named_with_its_path() -> None:
    class Bad(Schema):
        extra = fields.Dict()

    with pytest.raises(UnknownKind, match=r"^lines\.extra: "):
        property_of("lines", fields.List(fields.Nested(Bad)))


def test_labels_come_from_the_metadata_or_from_the_name() -> None:
    plain = property_of("due_date", fields.Date())
    described = property_of(
        "due_date",
        fields.Date(required=True, metadata={"title": "Due", "description": "In UTC.", "help": "Optional."}),
    )

    assert (plain["displayName"], plain["description"], plain["required"]) == ("Due date", "", False)
    assert (described["displayName"], described["description"], described["required"]) == (
        "Due",
        "In UTC. Optional.",
        True,
    )


def test_choices_have_the_labels_of_the_validator() -> None:
    field = fields.String(validate=validate.OneOf(["a", "b"], labels=["First"]))

    assert property_of("kind", field)["options"] == {
        "options": [{"label": "First", "value": "a"}, {"label": "B", "value": "b"}]
    }


def test_an_enum_sends_its_names_or_its_values_as_the_field_loads_them() -> None:
    by_name, by_value = fields.Enum(Priority), fields.Enum(Priority, by_value=True)

    assert [each["value"] for each in property_of("p", by_name)["options"]["options"]] == ["LOW", "HIGH"]
    assert [each["value"] for each in property_of("p", by_value)["options"]["options"]] == [1, 2]


def test_a_default_is_shown_as_it_would_be_sent() -> None:
    assert property_of("done", fields.Boolean(load_default=False))["defaultValue"] is False
    assert property_of("day", fields.Date(load_default=datetime.date(2025, 1, 31)))["defaultValue"] == "2025-01-31"
    assert "defaultValue" not in property_of("at", fields.DateTime(load_default=datetime.datetime.now))


def test_the_form_has_the_fields_that_can_be_loaded_in_their_order() -> None:
    class Form(Schema):
        id = fields.Integer(dump_only=True)
        second = fields.String(data_key="zwei")
        first = fields.String(metadata={"order": -1})

    assert list(properties_of(Form())) == ["first", "zwei"]


def test_a_note_is_in_the_form_and_never_sent() -> None:
    class Form(Schema):
        hint = own.Note("**Careful**", style="WARNING")
        name = fields.String()

    form = properties_of(Form())

    assert form["hint"] == {
        "type": "MARKDOWN",
        "displayName": "Hint",
        "description": "**Careful**",
        "required": False,
        "variant": "WARNING",
    }
    assert [name for name, _ in value_fields(Form())] == ["name"]
