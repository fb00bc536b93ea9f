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
from flask_activepieces.mcp.results import MAX_FILE_BYTES, MAX_TEXT, error_result, tool_result
from flask_activepieces.mcp.tools import output_schema
from flask_activepieces.pieces.files import FileResult

PNG = b"\x89PNG"


class TaskSchema(Schema):
    title = fields.String()
    tags = fields.List(fields.String())


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
    assert "a.bin" in found["content"][1]["text"]


@pytest.mark.parametrize(
    "output",
    [
        {"title": "x" * 200_000},
        {"tags": ["a tag"] * 100_000},
        {"tags": ["x" * 50_000] * 50},
        [{"title": "x" * 1000}] * 1000,
        {"a": {"b": [{"c": ["x" * 1000] * 100}] * 100}},
    ],
    ids=["text", "list", "long texts in a list", "list of objects", "deep"],
)
def test_a_long_result_is_cut_and_says_so(output: Any) -> None:
    found = result(output)

    text, note = (each["text"] for each in found["content"])
    assert len(text) <= MAX_TEXT
    assert "is not complete" in note and "Ask for less at once." in note
    json.loads(text)


def test_a_long_result_keeps_the_promised_schema() -> None:
    found = result({"title": "x" * 200_000, "tags": ["y"] * 100_000}, TaskSchema())

    Draft202012Validator(output_schema(TaskSchema())).validate(found["structuredContent"])
    assert found["structuredContent"]["title"].startswith("xxx")


def test_an_error_is_a_sentence() -> None:
    assert error_result("No.") == {"content": [{"type": "text", "text": "No."}], "isError": True}
