"""The result of a tool: text and structured content, files, and errors as a sentence."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from marshmallow import Schema

from ..pieces.files import FileResult
from .json_rpc import Encoded
from .tools import ITEMS

#: About as many characters as agents read of a result. They would cut off the rest without a note.
MAX_TEXT = 100_000
MAX_FILES = 20
#: Of all files of a result together.
MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_FILE_NAME = 255
#: The types of images that models can see.
_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
#: How many items of each list, members of each object, and characters of each text a shortened result contains: the
#: first of these that fits. Members are cut least, because an object without some of them may mislead.
_CUTS = (
    (1000, 1000, 10_000),
    (300, 300, 3000),
    (100, 100, 1000),
    (30, 100, 300),
    (10, 100, 100),
    (3, 100, 30),
    (1, 30, 10),
    (1, 10, 10),
    (1, 3, 10),
    (1, 1, 10),
)

Dumps = Callable[[Any], str]
Result = dict[str, Any]


def error_result(sentence: str) -> Result:
    """An error that the agent can read and react to."""
    return {"content": [_text(sentence)], "isError": True}


def tool_result(output: Any, *, schema: Schema | None, dumps: Dumps) -> Result:
    """The result for the output of an action. ``dumps`` encodes JSON as the app does."""
    files: list[FileResult] = []
    value = _structured(_without_files(output, files), schema)
    text, notes = shortened(value, dumps, schema)
    structured = {"structuredContent": Encoded(text)} if isinstance(value, dict) else {}
    shown = value if isinstance(value, str) and not notes else _plain(text)
    content = [_text("Done." if value is None else shown), *_file_blocks(files), *map(_text, notes)]
    return {"content": content, **structured, "isError": False}


def shortened(value: Any, dumps: Dumps, schema: Schema | None = None) -> tuple[str, list[str]]:
    """The value as JSON that is short enough for an agent, and a note if it is not complete.

    The output schema of a tool promises no member of an object, so that what is left conforms to it.
    """
    text = dumps(value)
    if len(text) <= MAX_TEXT:
        return text, []
    whole = json.loads(text)
    beginning = f"This result was too long ({len(text)} characters) and"
    for items, members, characters in _CUTS:
        whole = _cut(whole, items, members, characters)
        cut = json.dumps(whole)
        if len(cut) <= MAX_TEXT:
            note = (
                f"{beginning} is not complete: each list has at most {items} items, each object at most {members}"
                f" members, and each text at most {characters} characters. Ask for less at once."
            )
            return cut, [note]
    # Very long names, or very deep.
    return json.dumps(_structured(type(whole)(), schema)), [f"{beginning} was left out. Ask for less at once."]


def _structured(value: Any, schema: Schema | None) -> Any:
    """The value in the form that the output schema of the tool describes."""
    if schema is None:
        return value
    if schema.many:
        return {ITEMS: value if isinstance(value, list | tuple) else []}
    return value if isinstance(value, dict) else {}


def _without_files(value: Any, files: list[FileResult]) -> Any:
    """The value with a description in place of each file; adds the files to the list."""
    if isinstance(value, FileResult):
        files.append(value)
        return {"name": value.name, "contentType": value.content_type, "size": len(value.content)}
    if isinstance(value, Mapping):
        return {name: _without_files(each, files) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_files(each, files) for each in value]
    return value


def _cut(value: Any, items: int, members: int, characters: int) -> Any:
    match value:
        case str():
            return value[:characters]
        case list():
            return [_cut(each, items, members, characters) for each in value[:items]]
        case dict():
            first = islice(value.items(), members)
            return {name: _cut(each, items, members, characters) for name, each in first}
        case _:
            return value


def _plain(text: str) -> str:
    """A JSON string as plain text; other JSON unchanged."""
    return str(json.loads(text)) if text.startswith('"') else text


def _text(text: str) -> Result:
    return {"type": "text", "text": text}


def _file_blocks(files: Sequence[FileResult]) -> list[Result]:
    """The files that are not too many or too large, and a note about the others."""
    blocks: list[Result] = []
    size = 0
    for file in files:
        if len(blocks) < MAX_FILES and size + len(file.content) <= MAX_FILE_BYTES:
            blocks.append(_file(file))
            size += len(file.content)
    missing = len(files) - len(blocks)
    if missing:
        limit = f"A result has at most {MAX_FILES} files, of {MAX_FILE_BYTES} bytes together."
        blocks.append(_text(f"{missing} of {len(files)} files are missing. {limit}"))
    return blocks


def _file(file: FileResult) -> Result:
    kind = file.content_type.partition(";")[0].strip().lower()
    if kind in _IMAGES or kind.startswith("audio/"):
        return {"type": kind.partition("/")[0], "data": b64encode(file.content).decode(), "mimeType": kind}
    resource = {
        "uri": f"file:///{quote(file.name[:MAX_FILE_NAME], safe='')}",
        "mimeType": file.content_type,
        **_content(kind, file),
    }
    return {"type": "resource", "resource": resource}


def _content(kind: str, file: FileResult) -> Result:
    if kind.startswith("text/") or kind == "application/json":
        try:
            return {"text": file.content.decode()}
        except UnicodeDecodeError:
            pass  # a text in another encoding
    return {"blob": b64encode(file.content).decode()}
