"""The inputs of a step, converted to the types of their properties as an engine does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flask_activepieces.testing import StepFailed
from flask_activepieces.testing.standin.flows.inputs import process
from flask_activepieces.testing.standin.pieces.calls import PieceFile
from tests.support.raw_server import raw_server


def converted(kind: str, value: Any, *, required: bool = False, **more: Any) -> Any:
    return process({"x": {"type": kind, "required": required, **more}}, {"x": value})["x"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("SHORT_TEXT", 5, "5"),
        ("SHORT_TEXT", {"a": 1}, '{"a":1}'),
        ("SHORT_TEXT", True, "true"),
        ("SHORT_TEXT", "", None),
        ("NUMBER", "4", 4),
        ("NUMBER", "4.5", 4.5),
        ("NUMBER", "", None),
        ("CHECKBOX", "True", True),
        ("CHECKBOX", "false", False),
        ("DATE_TIME", "2026-11-30", "2026-11-30T00:00:00.000Z"),
        ("DATE_TIME", "2026-11-30T10:00:00+02:00", "2026-11-30T08:00:00.000Z"),
        ("JSON", '{"a": [1]}', {"a": [1]}),
        ("JSON", "<xml/>", "<xml/>"),
        ("OBJECT", '{"a": 1}', {"a": 1}),
        ("ARRAY", '["a"]', ["a"]),
        ("MULTI_SELECT_DROPDOWN", "[1, 2]", [1, 2]),
        ("DROPDOWN", {"any": "value"}, {"any": "value"}),
        ("FILE", None, None),
    ],
)
def test_value_becomes_what_its_property_says(kind: str, value: Any, expected: Any) -> None:
    assert converted(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("SHORT_TEXT", None, "Expected string, received: undefined"),
        ("NUMBER", "many", "Expected number, received: many"),
        ("CHECKBOX", "perhaps", "Expected boolean, received: perhaps"),
        ("DATE_TIME", "soon", "Invalid datetime format. Expected ISO format (e.g. 2024-03-14T12:00:00.000Z)"),
        ("ARRAY", "no list", "Expected array, received: no list"),
        ("OBJECT", "no object", "Expected object, received: no object"),
        ("JSON", "", "Expected JSON, received: "),
        ("FILE", "no url", "Expected file url or base64 with mimeType, received: no url"),
    ],
)
def test_required_value_of_another_type_fails_the_step(kind: str, value: Any, problem: str) -> None:
    with pytest.raises(StepFailed) as raised:
        converted(kind, value, required=True)

    (message,) = json.loads(raised.value.message)["x"]
    assert message.startswith(problem)


def test_items_of_a_list_are_converted_each() -> None:
    number = {"n": {"type": "NUMBER", "required": True}}

    assert converted("ARRAY", [{"n": "1"}], properties=number) == [{"n": 1}]
    # The builder sends a list for each field where the author maps a whole list.
    assert converted("ARRAY", {"n": ["1", "2"], "m": "x"}, properties=number) == [
        {"n": 1, "m": "x"},
        {"n": 2, "m": "x"},
    ]


def test_problem_inside_a_list_names_its_place() -> None:
    with pytest.raises(StepFailed) as raised:
        converted("ARRAY", [{"n": "1"}, {"n": "x"}], properties={"n": {"type": "NUMBER", "required": True}})

    problems = json.loads(raised.value.message)["x"]["properties"]
    assert problems == [{}, {"n": ["Expected number, received: x"]}]


def test_inputs_that_no_property_describes_stay() -> None:
    auth = {"type": "SECRET_TEXT", "secret_text": "s"}

    assert process({}, {"auth": auth, "other": "1"}) == {"auth": auth, "other": "1"}


def test_file_may_be_in_the_url() -> None:
    file = converted("FILE", "data:text/plain;base64,aGVsbG8=")

    assert file == PieceFile("unknown.txt", b"hello", "txt")


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/a/report.pdf?x=1", {}, "report.pdf"),
        ("/download", {"Content_Disposition": 'attachment; filename="b.csv"'}, "b.csv"),
        ("/download", {"Content_Disposition": "attachment; filename*=UTF-8''%C3%A4.txt"}, "ä.txt"),
    ],
)
def test_name_of_a_file_is_that_of_the_answer_or_of_the_url(path: str, headers: Any, name: str) -> None:
    with raw_server(lambda request: request.answer(200, b"1", **headers)) as server:
        file = converted("FILE", f"{server.url}{path}")

    assert (file.filename, file.extension, file.data) == (name, name.rpartition(".")[2], b"1")
