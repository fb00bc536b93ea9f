"""Converts the inputs of a step to the types of their properties, as an engine does before it calls a piece."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from email.message import Message
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import requests

from ..pieces.calls import PieceFile
from ..pieces.piece import StepFailed
from ..routing.responses import Json, Row

_DATA_URL = re.compile(r"data:([A-Za-z\-+/]+);base64,(.+)", re.DOTALL)
#: Seconds until a file must have arrived.
_TIMEOUT = 30


def process(props: Mapping[str, Any], values: Row) -> Row:
    """The values, converted. Inputs that no property describes, such as ``auth``, stay as they are."""
    processed, problems = _process(props, values)
    if problems:
        raise StepFailed("Error", json.dumps(problems, indent=2, ensure_ascii=False))
    return processed


def _process(props: Mapping[str, Any], values: Row) -> tuple[Row, Row]:
    processed, problems = dict(values), Row()
    for name, value in values.items():
        described = props.get(name)
        if described is None:
            continue
        if described["type"] == "ARRAY" and described.get("properties"):
            items = [_process(described["properties"], item) for item in _zipped(value)]
            value = [item for item, _ in items]
            inner = [problem for _, problem in items]
            if any(inner):
                problems[name] = {"properties": inner}
        processed[name] = value = _CONVERT.get(described["type"], _unchanged)(value)
        problem = _problem(described, value, values[name])
        if problem is not None:
            problems[name] = [problem]
    return processed, problems


def _problem(described: Row, value: Json, original: Json) -> str | None:
    if value is None and not described.get("required"):
        return None
    if described["type"] == "JSON":
        return f"Expected JSON, received: {_shown(original)}" if value in (None, "") else None
    expected = _EXPECTED.get(described["type"])
    if expected is None or isinstance(value, expected[0]):
        return None
    return f"{expected[1]}, received: {_shown(original)}"


def _shown(value: Json) -> str:
    return "undefined" if value is None else str(value)


def _unchanged(value: Json) -> Json:
    return value


def _as_text(value: Json) -> Json:
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _as_number(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    with suppress(ValueError):
        number = float(value)
        return int(number) if number.is_integer() else number
    return None


def _as_flag(value: Json) -> Json:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _as_date_time(value: Json) -> Json:
    with suppress(ValueError, TypeError):
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        utc = moment.astimezone(timezone.utc) if moment.tzinfo else moment
        return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
    return None


def _as_json(value: Json) -> Json:
    """Text that is no JSON stays as it is."""
    if isinstance(value, str):
        with suppress(ValueError):
            return json.loads(value)
    return value


def _as_object(value: Json) -> Json:
    parsed = _as_json(value)
    return parsed if isinstance(parsed, dict) else None


def _as_list(value: Json) -> Json:
    parsed = _as_json(value)
    return parsed if isinstance(parsed, list) else value


def _as_file(value: Json) -> PieceFile | None:
    """A file is downloaded from its URL, or contained in it."""
    if isinstance(value, str):
        with suppress(requests.RequestException, ValueError):
            return _contained_file(value) or _downloaded_file(value)
    return None


def _contained_file(text: str) -> PieceFile | None:
    matched = _DATA_URL.fullmatch(text)
    if matched is None:
        return None
    extension = _extension(matched[1])
    return PieceFile(f"unknown.{extension}", base64.b64decode(matched[2]), extension)


def _downloaded_file(url: str) -> PieceFile:
    response = requests.get(url, timeout=_TIMEOUT)
    name = _file_name(url, response)
    return PieceFile(name, response.content, PurePosixPath(name).suffix.lstrip(".") or None)


def _file_name(url: str, response: requests.Response) -> str:
    header = Message()
    header["content-disposition"] = response.headers.get("content-disposition", "")
    in_url = PurePosixPath(urlsplit(url).path).name
    name = header.get_filename() or (in_url if "." in in_url else None)
    return name or f"unknown.{_extension(response.headers.get('content-type', ''))}"


def _extension(mime_type: str) -> str:
    guessed = mimetypes.guess_extension(mime_type.partition(";")[0].strip())
    return guessed.lstrip(".") if guessed else "bin"


def _zipped(value: Json) -> list[Row]:
    """The items of a list of objects; an object of lists is one whose n-th item has the n-th value of each."""
    if not isinstance(value, dict):
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    length = max((len(each) if isinstance(each, list) else 1 for each in value.values()), default=0)
    return [
        {name: _at(each, index) if isinstance(each, list) else each for name, each in value.items()}
        for index in range(length)
    ]


def _at(values: list[Json], index: int) -> Json:
    return values[index] if index < len(values) else None


_CONVERT: Mapping[str, Callable[[Json], Json]] = {
    "SHORT_TEXT": _as_text,
    "LONG_TEXT": _as_text,
    "NUMBER": _as_number,
    "CHECKBOX": _as_flag,
    "DATE_TIME": _as_date_time,
    "JSON": _as_json,
    "OBJECT": _as_object,
    "ARRAY": _as_list,
    "MULTI_SELECT_DROPDOWN": _as_list,
    "STATIC_MULTI_SELECT_DROPDOWN": _as_list,
    "FILE": _as_file,
}
_EXPECTED: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "SHORT_TEXT": (str, "Expected string"),
    "LONG_TEXT": (str, "Expected string"),
    "NUMBER": ((int, float), "Expected number"),
    "CHECKBOX": (bool, "Expected boolean"),
    "DATE_TIME": (str, "Invalid datetime format. Expected ISO format (e.g. 2024-03-14T12:00:00.000Z)"),
    "ARRAY": (list, "Expected array"),
    "OBJECT": (dict, "Expected object"),
    "FILE": (PieceFile, "Expected file url or base64 with mimeType"),
}
