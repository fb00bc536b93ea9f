"""The metadata of a piece: what an Activepieces server stores of it, and answers for it.

`metadata_of` says in Python what ``metadata()`` of the JavaScript runtime says to a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

#: The fields that a server stores as they are.
_OF_THE_PIECE = ("displayName", "description", "logoUrl", "authors", "categories", "minimumSupportedRelease")
#: What only the runtime reads of an action, a trigger and a property.
_OF_THE_RUNTIME = {"request", "renew"}
#: The field of a dynamic property with the name of declared options, in place of which the runtime has a function.
_FUNCTION = {"DROPDOWN": "options", "MULTI_SELECT_DROPDOWN": "options", "DYNAMIC": "props"}

#: What the runtime sets where the manifest is silent.
_NO_ERROR_HANDLING = {"continueOnFailure": {"defaultValue": False}, "retryOnFailure": {"defaultValue": False}}
_OF_AN_ACTION = {"requireAuth": True, "errorHandlingOptions": _NO_ERROR_HANDLING}
_OF_A_TRIGGER = {"requireAuth": True}


def metadata_of(manifest: Document) -> dict[str, Any]:
    """The metadata of the piece that is built from the manifest."""
    return {
        **{name: manifest[name] for name in _OF_THE_PIECE if name in manifest},
        "auth": list(manifest.get("auth", ())),
        "actions": {name: _step(each, _OF_AN_ACTION) for name, each in manifest.get("actions", {}).items()},
        "triggers": {name: _step(each, _OF_A_TRIGGER) for name, each in manifest.get("triggers", {}).items()},
    }


def _step(described: Document, defaults: Document) -> dict[str, Any]:
    kept = {name: value for name, value in described.items() if name not in _OF_THE_RUNTIME}
    return {**defaults, **kept, "props": _props(described.get("props", {}))}


def _props(described: Document) -> dict[str, Any]:
    return {name: _property(each) for name, each in described.items()}


def _property(described: Document) -> dict[str, Any]:
    function = _FUNCTION.get(described["type"])
    kept = {name: value for name, value in described.items() if name != function}
    return {**kept, "properties": _props(kept["properties"])} if "properties" in kept else kept
