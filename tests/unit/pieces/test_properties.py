"""Each marshmallow field becomes a field of a form of Activepieces, or an error that names it."""

from __future__ import annotations

import datetime
import enum
import re
from decimal import Decimal
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
    (fields.String(metadata={"kind": "long_text"}), "LONG_TEXT"),
    (fields.String(metadata={"kind": "rich_text"}), "RICH_TEXT"),
    (fields.String(metadata={"kind": "color"}), "COLOR"),
    (own.RichText(), "RICH_TEXT"),
    (fields.Integer(), "NUMBER"),
    (fields.Float(), "NUMBER"),
    (fields.Decimal(), "NUMBER"),
    (fields.TimeDelta(), "NUMBER"),
    (fields.Boolean(), "CHECKBOX"),
    (fields.DateTime(), "DATE_TIME"),
    (fields.AwareDateTime(), "DATE_TIME"),
    (fields.DateTime(format="iso"), "DATE_TIME"),
    (fields.NaiveDateTime(timezone=datetime.timezone.utc), "DATE_TIME"),
    (fields.DateTime(format="timestamp"), "NUMBER"),
    (fields.DateTime(format="%d.%m.%Y"), "SHORT_TEXT"),
    (own.Day(), "DATE_TIME"),
    (fields.Date(), "SHORT_TEXT"),
    (fields.Time(), "SHORT_TEXT"),
    (own.DateRange(), "DATE_RANGE"),
    (fields.String(validate=validate.OneOf(["a", "b"])), "STATIC_DROPDOWN"),
    (fields.Enum(Priority), "STATIC_DROPDOWN"),
    (fields.Integer(validate=validate.OneOf([1, 2])), "STATIC_DROPDOWN"),
    (fields.List(fields.String(), validate=validate.ContainsOnly(["a"])), "STATIC_MULTI_SELECT_DROPDOWN"),
    (fields.List(fields.Enum(Priority)), "STATIC_MULTI_SELECT_DROPDOWN"),
    (fields.List(fields.String(validate=validate.OneOf(["a"]))), "STATIC_MULTI_SELECT_DROPDOWN"),
    (fields.Integer(metadata={"options": "projects"}), "DROPDOWN"),
    (fields.List(fields.Integer(metadata={"options": "projects"})), "MULTI_SELECT_DROPDOWN"),
    (fields.List(fields.Integer(), metadata={"options": "projects"}), "MULTI_SELECT_DROPDOWN"),
    (fields.List(fields.String()), "ARRAY"),
    (fields.List(fields.Nested(Line)), "ARRAY"),
    (fields.Nested(Line, many=True), "ARRAY"),
    (fields.Nested(Line(many=True)), "ARRAY"),
    (fields.List(own.File()), "ARRAY"),
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


WITHOUT_FORM: list[tuple[fields.Field[Any], str]] = [
    (fields.Tuple((fields.String(),)), "Tuple has no form in Activepieces; see docs/piece-properties.md"),
    (fields.Constant("x"), "Constant has no form in Activepieces; see docs/piece-properties.md"),
    (fields.Pluck(Line, "product"), "Pluck has no form in Activepieces; use Nested"),
    (fields.List(fields.List(fields.String())), "a list of List has no form in Activepieces; use piece fields.Json"),
    (fields.List(fields.Dict()), "a list of Dict has no form in Activepieces; use piece fields.Json"),
    (fields.NaiveDateTime(), "Activepieces sends times in UTC; use NaiveDateTime(timezone=datetime.timezone.utc)"),
    (fields.String(metadata={"kind": "colour"}), "metadata kind 'colour' does not exist; use color, long_text or"),
    (fields.Integer(validate=validate.OneOf(["many"])), "'many' is not a value of Integer"),
    (fields.Integer(load_default="many"), "'many' is not a value of Integer"),
]


@pytest.mark.parametrize(("field", "message"), WITHOUT_FORM, ids=lambda each: str(each)[:40])
def test_a_field_without_a_form_is_an_error_with_the_remedy(field: fields.Field[Any], message: str) -> None:
    with pytest.raises(UnknownKind, match=re.escape(f"amount: {message}")):
        property_of("amount", field)


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


def test_a_name_becomes_a_readable_title() -> None:
    titles = {name: property_of(name, fields.String())["displayName"] for name in ("due_date", "dueDate", "user-ID")}

    assert titles == {"due_date": "Due date", "dueDate": "Due date", "user-ID": "User ID"}


def test_a_placeholder_comes_from_the_metadata() -> None:
    assert property_of("url", fields.Url(metadata={"placeholder": "https://…"}))["placeholder"] == "https://…"


def test_a_date_without_a_calendar_shows_how_to_write_it() -> None:
    assert property_of("day", fields.Date())["placeholder"] == "2025-01-31"


def test_a_dropdown_names_its_options_and_what_loads_them_again() -> None:
    metadata = {"options": "projects", "refreshers": ["workspace"]}

    single = property_of("project", fields.Integer(metadata=metadata))
    several = property_of("projects", fields.List(fields.Integer(metadata=metadata)))

    assert (single["options"], single["refreshers"]) == ("projects", ["workspace"])
    assert (several["options"], several["refreshers"]) == ("projects", ["workspace"])


def test_a_dynamic_field_names_the_options_that_return_its_fields() -> None:
    described = property_of("details", own.Dynamic("task_fields", refreshers=["project"]))

    assert (described["props"], described["refreshers"]) == ("task_fields", ["project"])


def test_a_list_of_files_is_a_list_of_objects_with_one_file() -> None:
    described = property_of("attachments", fields.List(own.File(required=True)))

    assert described["properties"] == {
        "file": {"type": "FILE", "displayName": "File", "description": "", "required": True}
    }


def test_rich_text_names_the_field_with_its_format() -> None:
    assert property_of("body", own.RichText(format_field="format"))["formatProperty"] == "format"
    assert "formatProperty" not in property_of("body", own.RichText())


def test_a_custom_form_has_its_code() -> None:
    assert property_of("place", own.Custom("(ctx) => {}"))["code"] == "(ctx) => {}"


def test_choices_have_the_labels_of_the_validator() -> None:
    field = fields.String(validate=validate.OneOf(["a", "b"], labels=["First"]))

    assert property_of("kind", field)["options"] == {
        "options": [{"label": "First", "value": "a"}, {"label": "B", "value": "b"}]
    }


def test_an_enum_sends_its_names_or_its_values_as_the_field_loads_them() -> None:
    by_name, by_value = fields.Enum(Priority), fields.Enum(Priority, by_value=True)

    assert values_of(by_name) == ["LOW", "HIGH"]
    assert values_of(by_value) == [1, 2]
    assert [by_name.deserialize(each) for each in values_of(by_name)] == list(Priority)
    assert [by_value.deserialize(each) for each in values_of(by_value)] == list(Priority)


def values_of(field: fields.Field[Any]) -> list[Any]:
    """The values of a dropdown."""
    return [each["value"] for each in property_of("field", field)["options"]["options"]]


def test_choices_are_sent_as_json() -> None:
    days = fields.Date(validate=validate.OneOf([datetime.date(2025, 1, 31)]))
    amounts = fields.Decimal(validate=validate.OneOf([Decimal("1.5")]))

    assert values_of(days) == ["2025-01-31"]
    assert values_of(amounts) == [1.5]


def test_a_default_is_shown_as_it_would_be_sent() -> None:
    assert property_of("done", fields.Boolean(load_default=False))["defaultValue"] is False
    assert property_of("day", fields.Date(load_default=datetime.date(2025, 1, 31)))["defaultValue"] == "2025-01-31"
    assert property_of("price", fields.Decimal(load_default=Decimal("1.5")))["defaultValue"] == 1.5
    assert property_of("level", fields.Enum(Priority, load_default=Priority.LOW))["defaultValue"] == "LOW"
    assert property_of("tags", fields.List(fields.String(), load_default=["new"]))["defaultValue"] == ["new"]


def test_a_default_does_not_depend_on_the_name_in_python_or_in_requests() -> None:
    field = fields.Integer(load_default=3, data_key="amount", attribute="stored.amount")

    assert property_of("amount", field)["defaultValue"] == 3


@pytest.mark.parametrize("default", [None, datetime.datetime.now], ids=["none", "a function"])
def test_only_a_fixed_default_is_shown(default: Any) -> None:
    assert "defaultValue" not in property_of("at", fields.DateTime(load_default=default))


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
