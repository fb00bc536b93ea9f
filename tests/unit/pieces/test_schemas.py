"""Sample data, output fields and JSON Schema of a schema."""

from __future__ import annotations

import enum
import json
from typing import Any

import pytest
from marshmallow import Schema, fields, validate

from flask_activepieces.pieces import fields as own
from flask_activepieces.pieces.schemas import MAX_DEPTH, json_schema, output_fields, sample


class Priority(enum.Enum):
    LOW = 1
    HIGH = 2


class Tree(Schema):
    name = fields.String()
    child = fields.Nested(lambda: Tree())
    children = fields.Nested(lambda: Tree(), many=True)


def sample_of(field: fields.Field[Any]) -> Any:
    """The invented value of a field."""
    return sample(Schema.from_dict({"field": field})())["field"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (fields.String(), "text"),
        (fields.Email(), "someone@example.com"),
        (fields.Integer(), 1),
        (fields.Float(), 1.5),
        (fields.Decimal(), "1.5"),
        (fields.Boolean(), True),
        (fields.Date(), "2025-01-31"),
        (fields.Time(), "12:00:00"),
        (fields.DateTime(), "2025-01-31T12:00:00+00:00"),
        (fields.List(fields.Integer()), [1]),
        (fields.Dict(), {}),
        (fields.Constant("x"), "x"),
        (fields.Enum(Priority), "LOW"),
        (fields.Enum(Priority, by_value=True), 1),
        (fields.String(validate=validate.OneOf(["open", "done"])), "open"),
        (fields.String(metadata={"example": "Feed the cat"}), "Feed the cat"),
        (fields.Raw(), None),
    ],
    ids=lambda each: str(each)[:30],
)
def test_a_sample_has_a_likely_value_for_each_field(field: fields.Field[Any], value: Any) -> None:
    assert sample_of(field) == value


def test_a_sample_has_the_fields_that_are_dumped_under_their_names() -> None:
    class Task(Schema):
        password = fields.String(load_only=True)
        done_at = fields.Date(data_key="doneAt")

    assert sample(Task()) == {"doneAt": "2025-01-31"}


def test_a_schema_that_contains_itself_ends() -> None:
    depth, value = 0, sample(Tree())
    while value:
        depth, value = depth + 1, value["child"]

    assert depth == MAX_DEPTH + 1
    json.dumps([json_schema(Tree(), loads=True), json_schema(Tree(), loads=False), output_fields(Tree())])


def test_outputs_have_labels_descriptions_and_formats() -> None:
    class Task(Schema):
        title = fields.String(metadata={"title": "What", "description": "In one line"})
        due_date = fields.Date(data_key="dueDate")

    assert output_fields(Task()) == [
        {"key": "title", "label": "What", "description": "In one line"},
        {"key": "dueDate", "label": "Due date", "format": "date"},
    ]


def test_outputs_inside_others_are_children_or_items() -> None:
    class Task(Schema):
        owner = fields.Nested(Schema.from_dict({"email": fields.Email()}))
        notes = fields.List(fields.Nested(Schema.from_dict({"text": fields.String()})))

    owner, notes = output_fields(Task())

    assert owner["children"] == [{"key": "email", "label": "Email", "format": "email"}]
    assert notes["listItems"] == [{"key": "text", "label": "Text"}]


def test_the_schema_of_an_input_has_what_can_be_loaded() -> None:
    class Task(Schema):
        id = fields.Integer(dump_only=True)
        hint = own.Note("Careful")
        title = fields.String(required=True, metadata={"title": "What", "description": "In one line"})

    assert json_schema(Task(), loads=True) == {
        "type": "object",
        "properties": {"title": {"type": "string", "title": "What", "description": "In one line"}},
        "required": ["title"],
    }


def test_the_schema_of_an_output_has_what_is_dumped() -> None:
    class Task(Schema):
        id = fields.Integer(required=True)
        password = fields.String(load_only=True)

    described = json_schema(Task(), loads=False)

    assert described == {"type": "object", "properties": {"id": {"type": "integer"}}}
    assert json_schema(Task(many=True), loads=False) == {"type": "array", "items": described}


def test_a_period_and_a_file_have_schemas() -> None:
    form = Schema.from_dict({"period": own.DateRange(), "file": own.File()})

    described = json_schema(form(), loads=True)["properties"]

    assert described["file"]["type"] == "string"
    assert described["period"]["properties"]["preset"]["enum"][0] == "any_time"


def test_no_schema_is_an_object_without_fields() -> None:
    assert json_schema(None, loads=True) == {"type": "object", "properties": {}}
    assert output_fields(None) == []
