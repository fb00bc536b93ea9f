"""The kinds of connection values as JSON Schema, from the classes that validate them."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, get_args

from ...api_client.resources.connection_values import (
    UPPER_CASE_GRANT_TYPES,
    VALUES,
    AuthorizationMethod,
    GrantType,
    Value,
)

#: By the annotation of a field.
_PROPERTIES: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "str | None": {"type": ["string", "null"]},
    "Mapping[str, Any]": {"type": "object"},
    "Mapping[str, Any] | None": {"type": ["object", "null"]},
    "AuthorizationMethod | None": {"enum": [*get_args(AuthorizationMethod), None]},
    "GrantType | None": {"enum": [*get_args(GrantType), *UPPER_CASE_GRANT_TYPES, None]},
}


def value_schemas() -> list[dict[str, Any]]:
    """One schema per kind; its ``type`` is optional, because it can also be sent next to the value."""
    return [_schema(kind) for kind in VALUES.values()]


def _schema(kind: type[Value]) -> dict[str, Any]:
    return {
        "title": kind.type,
        "type": "object",
        "properties": {"type": {"const": kind.type}}
        | {each.name: _PROPERTIES[str(each.type)] for each in fields(kind)},
        "required": [each.name for each in fields(kind) if each.default is MISSING],
        "additionalProperties": False,
    }
