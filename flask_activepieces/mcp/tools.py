"""The tools: the app's actions as an agent sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from ..pieces.declarations import Action
from ..pieces.definition import PieceDefinition, ViewRoute
from ..pieces.schemas import json_schema

#: Before revision 2026-07-28, a structured result cannot be a list. So a list is sent as this member of an object.
ITEMS = "items"

#: The safe and the idempotent methods of HTTP (RFC 9110 §9.2).
_SAFE = {"GET", "HEAD"}
_IDEMPOTENT = _SAFE | {"PUT", "DELETE"}


@dataclass(frozen=True)
class Tool:
    """An action that agents may call."""

    action: Action
    #: None if the action is a function, not a view.
    route: ViewRoute | None
    #: The scopes that a token needs.
    scopes: frozenset[str]

    @property
    def name(self) -> str:
        """The name, which is unique in the app."""
        return self.action.name

    def describe(self) -> dict[str, Any]:
        """The tool as ``tools/list`` shows it."""
        described: dict[str, Any] = {
            "name": self.name,
            "title": self.action.title,
            "description": self.action.ai or self.action.description,
            "inputSchema": input_schema(self.action.input),
            "annotations": self._annotations(),
        }
        return described | {"outputSchema": output_schema(self.action.output)} if self.action.output else described

    def _annotations(self) -> Mapping[str, Any]:
        method = self.route.method if self.route else None
        read_only = method in _SAFE if self.action.read_only is None else self.action.read_only
        # If the app does not say otherwise, a change may be destructive.
        destructive = not read_only if self.action.destructive is None else self.action.destructive
        return {
            "title": self.action.title,
            "readOnlyHint": read_only,
            "destructiveHint": destructive,
            "idempotentHint": read_only or self.action.idempotent or method in _IDEMPOTENT,
            "openWorldHint": self.action.open_world,
        }


def tools_of(definition: PieceDefinition) -> dict[str, Tool]:
    """The tools by name, sorted by name, so that their order is the same in every worker and after every start."""
    tools = [
        Tool(action, definition.routes.get(action.name), definition.scopes_of(action)) for action in definition.tools
    ]
    return {tool.name: tool for tool in sorted(tools, key=lambda tool: tool.name)}


def input_schema(schema: Schema | None) -> dict[str, Any]:
    """The JSON Schema of the arguments."""
    described = json_schema(schema, loads=True)
    # marshmallow rejects unknown fields, unless the schema says otherwise.
    is_open = schema is not None and schema.unknown != "raise"
    return described if is_open else {**described, "additionalProperties": False}


def output_schema(schema: Schema) -> dict[str, Any]:
    """The JSON Schema of the structured result.

    marshmallow validates what it loads, not what it dumps, and dumps None as it is. So this contains only names and
    types, which every dumped value conforms to.
    """
    described = _promised(json_schema(schema, loads=False))
    if not schema.many:
        return {**described, "type": "object"}
    return {"type": "object", "properties": {ITEMS: {**described, "type": "array"}}, "required": [ITEMS]}


def _promised(described: Mapping[str, Any]) -> dict[str, Any]:
    promised = {name: described[name] for name in ("title", "description") if name in described}
    if "type" in described:
        promised["type"] = _with_null(described["type"])
    if "properties" in described:
        promised["properties"] = {name: _promised(each) for name, each in described["properties"].items()}
    if "items" in described:
        promised["items"] = _promised(described["items"])
    return promised


def _with_null(types: str | list[str]) -> list[str]:
    listed = [types] if isinstance(types, str) else list(types)
    # Flask encodes a Decimal as a string.
    more = ["string"] if "number" in listed else []
    return list(dict.fromkeys([*listed, *more, "null"]))
