"""The metadata of a piece: what an Activepieces server stores about it and returns.

`metadata_of` returns in Python what ``metadata()`` of the JavaScript runtime returns to a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

#: The fields that a server stores unchanged.
_OF_THE_PIECE = ("displayName", "description", "logoUrl", "authors", "categories", "minimumSupportedRelease")
#: Fields of an action, a trigger or a property that only the runtime reads.
_OF_THE_RUNTIME = {"request", "renew"}
#: The field of a property with the name of its declared options. The runtime replaces it by a function.
_FUNCTION = {"DROPDOWN": "options", "MULTI_SELECT_DROPDOWN": "options", "DYNAMIC": "props"}

#: The defaults of the runtime.
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
