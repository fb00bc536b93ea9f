"""Expressions of flows, resolved or null."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.testing.standin.flows.expressions import connections_in, resolve

SCOPE: dict[str, Any] = {
    "trigger": {"output": {"body": {"name": "Ada", "tags": ["a", "b"], "none": None}}},
    "connections": {"my crm": {"key": "k"}},
    "step_1": {"output": 7},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{trigger['output'].body.name}}", "Ada"),
        ('{{ trigger["output"]["body"].tags[1] }}', "b"),
        ("{{connections['my crm']}}", {"key": "k"}),
        ("{{step_1['output']}}", 7),
    ],
)
def test_a_whole_expression_keeps_the_type_of_its_value(text: str, value: Any) -> None:
    assert resolve(text, SCOPE) == value


def test_an_expression_within_a_string_becomes_a_string() -> None:
    text = "{{trigger['output'].body.name}}: {{trigger['output'].body.tags}} {{step_1.output}}"

    assert resolve(text, SCOPE) == 'Ada: ["a","b"] 7'


@pytest.mark.parametrize(
    "path",
    [
        "trigger.body.name",  # a step's result is under "output"
        "nothing",
        "trigger.output.body.tags[9]",
        "trigger.output.body.name.length",
        "1 + 1",
        "trigger.output.body.none",
    ],
)
def test_an_unknown_path_is_null(path: str) -> None:
    assert resolve(f"{{{{{path}}}}}", SCOPE) is None
    assert resolve(f"<{{{{{path}}}}}>", SCOPE) == "<>"


def test_objects_and_lists_are_resolved_in_depth() -> None:
    given = {"a": ["{{step_1.output}}", {"b": "plain"}], "c": True}

    assert resolve(given, SCOPE) == {"a": [7, {"b": "plain"}], "c": True}


def test_connections_are_found_in_nested_inputs() -> None:
    given = {
        "auth": "{{connections['a \"b\"']}}",
        "more": ['{{ connections["c"] }}', "{{connections.d}} and {{connections['c']}}"],
        "not": "connections['e']",
    }

    assert connections_in(given) == ['a "b"', "c", "d"]
