"""The flow that the check builds: what comes to its webhook becomes a task, and the task is the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

WEBHOOK_PIECE = "@activepieces/piece-webhook"


@dataclass(frozen=True)
class TaskFlow:
    """What the steps of the flow refer to."""

    webhook_version: str
    piece_name: str
    piece_version: str
    connection_external_id: str

    def operations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the builder's page would send, one operation after another."""
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
        answer = {"status": 201, "headers": {}, "body": {"task": "{{step_1['output']}}"}}
        settings = {
            "pieceName": WEBHOOK_PIECE,
            "pieceVersion": self.webhook_version,
            "actionName": "return_response",
            "input": {"respond": "stop", "responseType": "json", "fields": answer},
        }
        return _step("step_2", "Return response", settings)


def _step(
    name: str, display_name: str, settings: dict[str, Any], *, kind: str = "PIECE"
) -> dict[str, Any]:
    more: dict[str, Any] = {"propertySettings": {}} | (
        {"errorHandlingOptions": {}} if kind == "PIECE" else {}
    )
    return {
        "name": name,
        "displayName": display_name,
        "type": kind,
        "valid": True,
        "lastUpdatedDate": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "settings": settings | more,
    }
