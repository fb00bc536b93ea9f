"""The inputs of an action, as JSON or, with files, as multipart form.

In a form, the field ``input`` is the JSON, and each file is a part named after its property. Where a list of objects
has files, ``{"$file": n}`` in the JSON is the place of the n-th part of that name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from marshmallow import Schema, fields
from werkzeug.datastructures import FileStorage

from ...errors import InvalidInput
from ...pieces.fields import File
from ...pieces.properties import input_fields
from ..api.operations import json_body
from ..api.problems import Problem, ProblemType
from ..repeated_calls import fingerprint_of
from .base import MAX_JSON_BYTES, limit_body

#: The most that an action takes: as much as Activepieces itself stores by default, and the JSON.
MAX_UPLOAD_BYTES = 25 * 1024 * 1024 + MAX_JSON_BYTES

_MULTIPART = "multipart/form-data"
_PLACE = "$file"
_WHOLE_FORM = "input"


def read_inputs(schema: Schema | None) -> tuple[dict[str, Any], str]:
    """The values by the names of the properties, and a fingerprint of them."""
    if request.mimetype != _MULTIPART:
        raw = json_body()
        return raw, fingerprint_of(raw, {})
    limit_body(MAX_UPLOAD_BYTES)
    request.max_form_memory_size = MAX_JSON_BYTES
    raw, files = _form_json(), dict(request.files.lists())
    fingerprint = fingerprint_of(raw, files)
    known = dict(input_fields(schema))
    return {**raw, **{name: _value(name, parts, raw, known.get(name)) for name, parts in files.items()}}, fingerprint


def _form_json() -> dict[str, Any]:
    try:
        raw = json.loads(request.form.get(_WHOLE_FORM, "{}"))
    except (ValueError, RecursionError):
        raise Problem(ProblemType.BAD_REQUEST, "The form's field 'input' is not valid JSON.") from None
    if not isinstance(raw, dict):
        raise InvalidInput({_WHOLE_FORM: "Must be a JSON object."})
    return raw


def _value(name: str, parts: Sequence[FileStorage], raw: Mapping[str, Any], field: fields.Field[Any] | None) -> Any:
    """The files in the place that their property has for them."""
    if name in raw:
        return _placed(raw[name], name, parts)
    schema = _item_schema(field)
    if schema is not None:
        # A list of objects, each of which is a file only.
        inner = next((inner for inner, each in input_fields(schema) if isinstance(each, File)), name)
        return [{inner: part} for part in parts]
    if isinstance(field, fields.List):
        return list(parts)
    if len(parts) > 1:
        raise InvalidInput({name: "Send one file."})
    return parts[0]


def _item_schema(field: fields.Field[Any] | None) -> Schema | None:
    if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        return field.inner.schema
    return field.schema if isinstance(field, fields.Nested) and field.many else None


def _placed(value: Any, name: str, parts: Sequence[FileStorage]) -> Any:
    if isinstance(value, list):
        return [_placed(each, name, parts) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) != {_PLACE}:
        return {key: _placed(each, name, parts) for key, each in value.items()}
    number = value[_PLACE]
    if type(number) is not int or not 0 <= number < len(parts):
        raise InvalidInput({name: "A file of this list is missing in the form."})
    return parts[number]
