"""Files among the arguments of a tool: an agent can only send them as text."""

from __future__ import annotations

import binascii
import io
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from marshmallow import Schema, fields
from werkzeug.datastructures import FileStorage

from ...errors import InvalidInput
from ...pieces.fields import File
from ...pieces.properties import value_fields

_DATA = "data:"
_BASE64 = ";base64"
_NAME = "name="
DEFAULT_NAME = "file"
DEFAULT_TYPE = "application/octet-stream"


def with_files(schema: Schema | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with each file in place of its text; `InvalidInput` for a text that is not a file."""
    known = dict(value_fields(schema))
    return {name: _converted(name, known.get(name), value) for name, value in arguments.items()}


def without_files(arguments: Any, name: str, parts: list[tuple[str, FileStorage]]) -> Any:
    """The arguments as JSON, in which ``{"$file": n}`` stands for the n-th file of this name; see `uploads`."""
    match arguments:
        case FileStorage():
            parts.append((name, arguments))
            return {"$file": sum(each == name for each, _ in parts) - 1}
        case dict():
            return {key: without_files(value, name or key, parts) for key, value in arguments.items()}
        case list():
            return [without_files(value, name, parts) for value in arguments]
        case _:
            return arguments


def _converted(name: str, field: fields.Field[Any] | None, value: Any) -> Any:
    match field, value:
        case File(), str():
            return _file(name, value)
        case fields.List(), list():
            return [_converted(name, field.inner, each) for each in value]
        case fields.Nested(), list():
            return [with_files(field.schema, each) if isinstance(each, dict) else each for each in value]
        case fields.Nested(), dict():
            return with_files(field.schema, value)
        case _:
            return value


def _file(name: str, text: str) -> FileStorage:
    """The file in Base64, or in a data URL (RFC 2397), which may have a name: ``data:text/plain;name=a.txt,…``."""
    kind, file_name, content = DEFAULT_TYPE, DEFAULT_NAME, text
    try:
        if text.startswith(_DATA):
            head, comma, content = text.removeprefix(_DATA).partition(",")
            kind, *parameters = head.removesuffix(_BASE64).split(";")
            names = [each.removeprefix(_NAME) for each in parameters if each.startswith(_NAME)]
            file_name = unquote(names[0]) if names else DEFAULT_NAME
            if not comma:
                raise ValueError("a data URL needs a comma")
            if not head.endswith(_BASE64):
                return _storage(unquote_to_bytes(content), file_name, kind or "text/plain")
        return _storage(b64decode(content, validate=True), file_name, kind or "text/plain")
    except (binascii.Error, ValueError):
        raise InvalidInput({name: "Send the content of the file as base64, or as a data URL."}) from None


def _storage(content: bytes, name: str, kind: str) -> FileStorage:
    return FileStorage(io.BytesIO(content), filename=name, content_type=kind)
