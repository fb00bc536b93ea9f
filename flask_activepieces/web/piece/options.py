"""The choices of dropdowns, and the fields that a form loads later."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from ...errors import InvalidInput
from ...pieces.properties import IN_DYNAMIC, properties_of
from ..api.operations import json_body
from .base import Caller, bearer_view, declared


@bearer_view
def list_options(caller: Caller, name: str) -> ResponseReturnValue:
    """What the declared options return for these inputs and this search text."""
    options = declared(caller.piece.options, "options", name)
    caller.require(options.scopes)
    body = json_body()
    inputs, search = body.get("inputs") or {}, body.get("search") or ""
    if not isinstance(inputs, dict):
        raise InvalidInput({"inputs": "Must be an object."})
    if not isinstance(search, str):
        raise InvalidInput({"search": "Must be a text."})
    found: Any = current_app.ensure_sync(options.function)(inputs, search)
    if isinstance(found, type) and issubclass(found, Schema):
        found = found()
    if isinstance(found, Schema):
        return {"props": properties_of(found, allowed=IN_DYNAMIC)}
    return {"options": [{"label": str(label), "value": value} for label, value in found]}
