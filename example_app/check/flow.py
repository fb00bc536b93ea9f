"""The flows that the check builds: one creates a task from a webhook, one starts when a task is added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

WEBHOOK_PIECE = "@activepieces/piece-webhook"


@dataclass(frozen=True)
class TaskFlow:
    """The pieces and the connection that the flow uses."""

    webhook_version: str
    piece_name: str
    piece_version: str
    connection_external_id: str

    def operations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The operations that the builder page would send, in order."""
        yield "UPDATE_TRIGGER", self._catch_webhook()
        yield "ADD_ACTION", {"parentStep": "trigger", "action": self._create_task()}
        yield "ADD_ACTION", {"parentStep": "step_1", "action": self._return_response()}

    def _catch_webhook(self) -> dict[str, Any]:
        settings = {
            "pieceName": WEBHOOK_PIECE,
            "pieceVersion": self.webhook_version,
            "triggerName": "catch_webhook",
            "input": {"authType": "none", "authFields": {}},
        }
        return _step("trigger", "Catch webhook", settings, kind="PIECE_TRIGGER")

    def _create_task(self) -> dict[str, Any]:
        settings = {
            "pieceName": self.piece_name,
            "pieceVersion": self.piece_version,
            "actionName": "create_task",
            "input": {
                "auth": f"{{{{connections['{self.connection_external_id}']}}}}",
                "title": "{{trigger['output'].body.title}}",
            },
        }
        return _step("step_1", "Create task", settings)

    def _return_response(self) -> dict[str, Any]:
        response = {"status": 201, "headers": {}, "body": {"task": "{{step_1['output']}}"}}
        settings = {
            "pieceName": WEBHOOK_PIECE,
            "pieceVersion": self.webhook_version,
            "actionName": "return_response",
            "input": {"respond": "stop", "responseType": "json", "fields": response},
        }
        return _step("step_2", "Return response", settings)


@dataclass(frozen=True)
class NewTaskFlow:
    """Starts with the piece's trigger for new tasks whose title contains a text."""

    piece_name: str
    piece_version: str
    connection_external_id: str
    contains: str

    def operations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The operations that the builder page would send, in order."""
        common = {"pieceName": self.piece_name, "pieceVersion": self.piece_version}
        connection = f"{{{{connections['{self.connection_external_id}']}}}}"
        trigger = {"triggerName": "task_created", "input": {"auth": connection, "contains": self.contains}}
        action = {"actionName": "list_tasks", "input": {"auth": connection, "limit": 1}}
        yield "UPDATE_TRIGGER", _step("trigger", "New task", {**common, **trigger}, kind="PIECE_TRIGGER")
        step = _step("step_1", "List tasks", {**common, **action})
        yield "ADD_ACTION", {"parentStep": "trigger", "action": step}


def _step(name: str, display_name: str, settings: dict[str, Any], *, kind: str = "PIECE") -> dict[str, Any]:
    settings = {**settings, "propertySettings": {}}
    if kind == "PIECE":
        settings["errorHandlingOptions"] = {}
    return {
        "name": name,
        "displayName": display_name,
        "type": kind,
        "valid": True,
        "lastUpdatedDate": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "settings": settings,
    }
