"""The result of a tool: text and structure, files, and what is too long."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from flask import Flask
from jsonschema_rs import Draft202012Validator
from marshmallow import Schema, fields

from flask_activepieces.mcp.json_rpc import encode_object
from flask_activepieces.mcp.results import (
    MAX_FILE_BYTES,
    MAX_FILE_NAME,
    MAX_FILES,
    MAX_TEXT,
    error_result,
    tool_result,
)
from flask_activepieces.mcp.tools import output_schema
from flask_activepieces.pieces.files import FileResult

PNG = b"\x89PNG"


class TaskSchema(Schema):
    title = fields.String()
    tags = fields.List(fields.String())


class AnySchema(Schema):
    title = fields.String()
    data = fields.Raw()


def nested(value: Any, *, names: int, levels: int, name: str = "") -> Any:
    """Objects in objects, each with this number of members."""
    for _ in range(levels):
        value = {f"{name}{number}": value for number in range(names)}
    return value


def result(output: Any, schema: Schema | None = None) -> dict[str, Any]:
    dumps = Flask("host").json.dumps
    encoded: dict[str, Any] = json.loads(encode_object(tool_result(output, schema=schema, dumps=dumps)))
    return encoded


def test_an_object_is_structured_and_text() -> None:
    found = result({"title": "x"})

    assert found["structuredContent"] == {"title": "x"}
    assert found["content"] == [{"type": "text", "text": '{"title": "x"}'}]
    assert found["isError"] is False


@pytest.mark.parametrize(
    ("output", "text"), [("plain", "plain"), (5, "5"), ([1], "[1]"), (None, "Done."), (True, "true"), ("", "")]
)
def test_other_values_are_text_only(output: Any, text: str) -> None:
    found = result(output)

    assert found["content"] == [{"type": "text", "text": text}]
    assert "structuredContent" not in found


@pytest.mark.parametrize(
    ("schema", "output", "structured"),
    [
        (TaskSchema(), {"title": "x"}, {"title": "x"}),
        (TaskSchema(), None, {}),
        (TaskSchema(), "odd", {}),
        (TaskSchema(many=True), [{"title": "x"}], {"items": [{"title": "x"}]}),
        (TaskSchema(many=True), None, {"items": []}),
    ],
)
def test_a_promised_schema_is_kept(schema: Schema, output: Any, structured: Any) -> None:
    found = result(output, schema)

    assert found["structuredContent"] == structured
    Draft202012Validator(output_schema(schema)).validate(found["structuredContent"])


@pytest.mark.parametrize(
    ("file", "block"),
    [
        (FileResult("a.png", PNG, "image/png"), {"type": "image", "mimeType": "image/png"}),
        (FileResult("a.wav", PNG, "audio/wav"), {"type": "audio", "mimeType": "audio/wav"}),
    ],
)
def test_images_and_sounds_are_for_the_model(file: FileResult, block: dict[str, str]) -> None:
    assert result(file)["content"][1] == {**block, "data": b64encode(PNG).decode()}


@pytest.mark.parametrize(
    ("file", "resource"),
    [
        (
            FileResult("tasks.csv", b"title\n", "text/csv; charset=utf-8"),
            {"uri": "file:///tasks.csv", "mimeType": "text/csv; charset=utf-8", "text": "title\n"},
        ),
        (FileResult("a.json", b"{}", "application/json"), {"uri": "file:///a.json", "text": "{}"}),
        (FileResult("a b/../c", b"\xff", "text/plain"), {"uri": "file:///a%20b%2F..%2Fc", "blob": "/w=="}),
        (FileResult("a.pdf", b"%PDF", "application/pdf"), {"uri": "file:///a.pdf", "blob": "JVBERg=="}),
        (FileResult("a.svg", b"<svg>", "image/svg+xml"), {"uri": "file:///a.svg", "blob": "PHN2Zz4="}),
    ],
)
def test_other_files_are_embedded_resources(file: FileResult, resource: dict[str, str]) -> None:
    block = result({"files": [file]})["content"][1]

    assert block["type"] == "resource"
    assert {name: block["resource"][name] for name in resource} == resource


def test_a_file_is_described_where_it_was() -> None:
    found = result({"title": "x", "files": [FileResult("a.txt", b"hi", "text/plain")]})

    assert found["structuredContent"]["files"] == [{"name": "a.txt", "contentType": "text/plain", "size": 2}]


def test_a_file_too_large_for_an_agent_is_a_note() -> None:
    found = result(FileResult("a.bin", b"x" * (MAX_FILE_BYTES + 1)))

    assert [each["type"] for each in found["content"]] == ["text", "text"]
    assert "a.bin" in found["content"][0]["text"]
    assert found["content"][1]["text"].startswith("1 of 1 files are missing.")


def test_the_files_of_a_result_have_a_size_together() -> None:
    large, small = b"x" * (MAX_FILE_BYTES // 2), b"y"
    files = [FileResult(f"{number}.bin", large if number < 4 else small) for number in range(5)]

    found = result({"files": files})

    sent = [each["resource"]["uri"] for each in found["content"] if each["type"] == "resource"]
    assert sent == ["file:///0.bin", "file:///1.bin"]
    assert found["content"][-1]["text"].startswith("3 of 5 files are missing.")
    assert len(json.dumps(found)) < 2 * MAX_FILE_BYTES


def test_a_result_has_only_so_many_files() -> None:
    found = result([FileResult("x" * 1000, b"", "text/plain")] * 1000)

    sent = [each["resource"]["uri"] for each in found["content"] if each["type"] == "resource"]
    assert sent == [f"file:///{'x' * MAX_FILE_NAME}"] * MAX_FILES
    assert found["content"][1 + MAX_FILES]["text"].startswith("980 of 1000 files are missing.")


@pytest.mark.parametrize(
    "output",
    [
        {"title": "x" * 200_000},
        {"tags": ["a tag"] * 100_000},
        {"tags": ["x" * 50_000] * 50},
        [{"title": "x" * 1000}] * 1000,
        {"a": {"b": [{"c": ["x" * 1000] * 100}] * 100}},
        {f"task {number}": "x" * 40 for number in range(60_000)},
        nested({"x" * 20: "y"}, names=8, levels=5),
        nested("x", names=1, levels=300, name="x" * 500),
        [{"x" * 200_000: 1}],
        {"x" * 200_000: 1},
    ],
    ids=[
        "text",
        "list",
        "long texts in a list",
        "list of objects",
        "deep",
        "many members",
        "many members of members",
        "very deep",
        "long name in a list",
        "long name",
    ],
)
def test_a_long_result_is_cut_and_says_so(output: Any) -> None:
    found = result(output)

    text, note = (each["text"] for each in found["content"])
    assert len(text) <= MAX_TEXT
    assert note.startswith("This result was too long (") and note.endswith(" Ask for less at once.")
    json.loads(text)


def test_a_long_result_keeps_the_promised_schema() -> None:
    found = result({"title": "x" * 200_000, "tags": ["y"] * 100_000}, TaskSchema())

    Draft202012Validator(output_schema(TaskSchema())).validate(found["structuredContent"])
    assert found["structuredContent"]["title"].startswith("xxx")


@pytest.mark.parametrize(
    "value", [nested("x", names=12, levels=4), {"x" * 200_000: 1}, [{"x" * 200_000: 1}]], ids=["wide", "name", "list"]
)
@pytest.mark.parametrize("is_many", [False, True], ids=["one", "many"])
def test_whatever_is_left_out_the_promised_schema_is_kept(value: Any, is_many: bool) -> None:
    schema = AnySchema(many=is_many)
    output = {"title": "x", "data": value}

    found = result([output] * 3 if is_many else output, schema)

    assert len(json.dumps(found["structuredContent"])) <= MAX_TEXT
    assert found["content"][1]["text"].startswith("This result was too long (")
    Draft202012Validator(output_schema(schema)).validate(found["structuredContent"])


def test_a_note_says_what_was_cut() -> None:
    many, long_name = ({f"task {number}": 1 for number in range(60_000)}, {"x" * 200_000: 1})

    notes = [result(output)["content"][1]["text"] for output in (many, long_name)]

    assert "each object at most 1000 members" in notes[0]
    assert "was left out" in notes[1]


def test_the_members_of_an_object_are_cut_last() -> None:
    row = {f"field {number}": "x" * 500 for number in range(40)}

    items = json.loads(result([row] * 500)["content"][0]["text"])

    assert items[0].keys() == row.keys()


def test_an_error_is_a_sentence() -> None:
    assert error_result("No.") == {"content": [{"type": "text", "text": "No."}], "isError": True}
