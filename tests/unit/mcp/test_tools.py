"""An action as a tool: schemas that clients can validate with, and hints about what it does."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from jsonschema_rs import Draft202012Validator
from marshmallow import EXCLUDE, Schema, fields, validate

from flask_activepieces.mcp.tools import Tool, input_schema, output_schema
from flask_activepieces.pieces.declarations import Action
from flask_activepieces.pieces.definition import ViewRoute


class Priority(enum.Enum):
    LOW = 1


class Line(Schema):
    label = fields.String()
    amount = fields.Decimal()


class Everything(Schema):
    title = fields.String(validate=validate.Length(max=3), metadata={"title": "Title", "description": "A title"})
    due = fields.Date()
    at = fields.DateTime()
    count = fields.Integer(validate=validate.Range(min=1))
    share = fields.Float()
    price = fields.Decimal()
    done = fields.Boolean()
    priority = fields.Enum(Priority)
    state = fields.String(validate=validate.OneOf(["open"]))
    mail = fields.Email()
    lines = fields.List(fields.Nested(Line))
    line = fields.Nested(Line)
    more = fields.Dict()
    anything = fields.Raw()


FULL = {
    "title": "longer than three",
    "due": dt.date(2027, 1, 31),
    "at": dt.datetime(2027, 1, 31, 12),  # without a time zone, so not a date-time of JSON Schema
    "count": -1,
    "share": 0.5,
    "price": Decimal("1.10"),
    "done": True,
    "priority": Priority.LOW,
    "state": "archived",
    "mail": "not an address",
    "lines": [{"label": "a", "amount": Decimal(1)}],
    "line": {"label": None},
    "more": {"a": [1]},
    "anything": [None],
}


@pytest.mark.parametrize(
    "value", [FULL, dict.fromkeys(FULL), {}, {"lines": []}], ids=["full", "null", "empty", "list"]
)
def test_whatever_marshmallow_dumps_is_valid_by_the_output_schema(value: Mapping[str, Any]) -> None:
    app = Flask("host")
    dumped = app.json.loads(app.json.dumps(Everything().dump(value)))

    Draft202012Validator(output_schema(Everything()), validate_formats=True).validate(dumped)


def test_a_list_is_the_member_of_an_object() -> None:
    described = output_schema(Line(many=True))

    assert described["type"] == "object"
    Draft202012Validator(described).validate({"items": [{"label": "a", "amount": "1.0"}]})


def test_the_output_schema_has_the_names_and_texts() -> None:
    described = output_schema(Everything())

    assert described["type"] == "object"
    assert described["properties"]["title"] == {
        "type": ["string", "null"],
        "title": "Title",
        "description": "A title",
    }


def test_the_input_schema_has_what_marshmallow_validates() -> None:
    class Form(Schema):
        title = fields.String(required=True, validate=validate.Length(1, 80))
        count = fields.Integer(validate=validate.Range(min=1))

    assert input_schema(Form()) == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 80},
            "count": {"type": "integer", "minimum": 1},
        },
        "required": ["title"],
        "additionalProperties": False,
    }
    Draft202012Validator(input_schema(Everything()))


def test_unknown_arguments_are_possible_where_the_schema_allows_them() -> None:
    class Open(Schema):
        class Meta:
            unknown = EXCLUDE

    assert "additionalProperties" not in input_schema(Open())
    assert input_schema(None) == {"type": "object", "properties": {}, "additionalProperties": False}


def tool(method: str | None = None, **more: Any) -> Tool:
    action = Action(
        name="do_it", function=print, scopes=frozenset("a"), title="Do it", description="Does it.", **more
    )
    route = ViewRoute(method=method, path="/x", rule="/x", path_params=(), scopes=frozenset("a")) if method else None
    return Tool(action, route, frozenset("a"))


READ, CHANGE, DESTROY = (True, False, True), (False, False, False), (False, True, False)


@pytest.mark.parametrize(
    ("described", "hints"),
    [
        (tool("GET"), (True, False, True)),
        (tool("POST"), (False, True, False)),
        (tool("PATCH"), (False, True, False)),
        (tool("PUT"), (False, True, True)),
        (tool("DELETE"), (False, True, True)),
        (tool(), (False, True, False)),
        (tool(read_only=True), (True, False, True)),
        (tool(destructive=False), (False, False, False)),
        (tool(destructive=False, idempotent=True), (False, False, True)),
        (tool("POST", read_only=True), (True, False, True)),
        (tool("GET", read_only=False), (False, True, True)),
    ],
)
def test_hints_say_what_the_app_says_or_what_its_method_promises(described: Tool, hints: tuple[bool, ...]) -> None:
    found = described.describe()["annotations"]

    assert (found["readOnlyHint"], found["destructiveHint"], found["idempotentHint"]) == hints
    assert (found["title"], found["openWorldHint"]) == ("Do it", False)


def test_the_text_for_agents_comes_first() -> None:
    assert tool().describe()["description"] == "Does it."
    assert tool(ai="Use this to do it.").describe()["description"] == "Use this to do it."
    assert tool(open_world=True).describe()["annotations"]["openWorldHint"] is True
    assert "outputSchema" not in tool().describe()
