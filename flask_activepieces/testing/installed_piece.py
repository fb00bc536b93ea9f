"""The piece of an app under test, installed in the stand-in: its actions, its triggers and their events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from flask import Flask
from werkzeug.test import Client

from ..pieces.archive import build_archive
from ..pieces.manifest import Addresses, build_manifest
from ..state import get_state
from .access_tokens import issue_access_token
from .events import deliver
from .standin.pieces.piece import StepFailed
from .standin.server import ActivepiecesServer

_VERSION = "1.0.0"
_WEBHOOK = {"pieceName": "@activepieces/piece-webhook", "pieceVersion": "0.1.34"}


@dataclass(frozen=True)
class EnabledFlow:
    """A flow that an event of the app starts."""

    piece: InstalledPiece = field(repr=False)
    id: str

    @property
    def outputs(self) -> Sequence[Any]:
        """The event of each run, oldest first."""
        runs = self.piece.runs_of(self.id)
        return [run["steps"]["trigger"]["output"] for run in runs]

    def poll(self) -> int:
        """Ask the app for events now, as Activepieces does every five minutes; returns the number of runs."""
        return self.piece.server.poll(self.id)

    def disable(self) -> None:
        """Disable the flow, which ends its subscription."""
        self.piece.call("POST", f"/flows/{self.id}", {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})


@dataclass(frozen=True)
class InstalledPiece:
    """The piece of an app that is served at ``url``."""

    app: Flask = field(repr=False)
    server: ActivepiecesServer = field(repr=False)
    url: str
    name: str
    #: The kinds of connection that it declares.
    auth: Sequence[str]

    def enable(self, trigger: str, *, inputs: Mapping[str, Any] | None = None, **whom: Any) -> EnabledFlow:
        """A new flow with that trigger, for a user (``user_id=…, tenant_id=…``); `StepFailed` says why not."""
        settings = {"pieceName": self.name, "pieceVersion": _VERSION, "triggerName": trigger}
        flow_id = self._new_flow(settings, {**(inputs or {}), "auth": self._connect(**whom)})
        self._publish(flow_id)
        return EnabledFlow(self, flow_id)

    def run(self, action: str, *, inputs: Mapping[str, Any] | None = None, **whom: Any) -> Any:
        """The output of an action in a flow of that user; `StepFailed` has the sentence that its author reads."""
        flow_id = self._new_flow({**_WEBHOOK, "triggerName": "catch_webhook"}, {})
        settings = {
            "pieceName": self.name,
            "pieceVersion": _VERSION,
            "actionName": action,
            "input": {**(inputs or {}), "auth": self._connect(**whom)},
        }
        step = {"name": "step_1", "type": "PIECE", "displayName": action, "valid": True, "settings": settings}
        self.call(
            "POST", f"/flows/{flow_id}", {"type": "ADD_ACTION", "request": {"parentStep": "trigger", "action": step}}
        )
        self._publish(flow_id)
        self.call("POST", f"/webhooks/{flow_id}", {})
        (run,) = self.runs_of(flow_id)
        result = run["steps"]["step_1"]
        if result["status"] == "FAILED":
            raise _failure(result["errorMessage"])
        return result["output"]

    def options(
        self, step: str, prop: str, *, inputs: Mapping[str, Any] | None = None, search: str | None = None, **whom: Any
    ) -> Any:
        """What a dropdown or dynamic field of an action or a trigger shows to that user."""
        flow = self.call("POST", "/flows", {"displayName": "A form", "projectId": self.server.project_id})
        body = {
            "projectId": self.server.project_id,
            "pieceName": self.name,
            "pieceVersion": _VERSION,
            "actionOrTriggerName": step,
            "propertyName": prop,
            "flowId": flow["id"],
            "flowVersionId": flow["version"]["id"],
            "input": {**(inputs or {}), "auth": self._connect(**whom)},
        }
        return self.call("POST", "/pieces/options", body | ({} if search is None else {"searchValue": search}))[
            "options"
        ]

    def deliver(self) -> int:
        """Run the app's worker once, and wait until all runs have ended; returns the number of deliveries."""
        return deliver(self.app, self.server)

    def runs_of(self, flow_id: str) -> Sequence[Any]:
        """The runs of a flow with the results of their steps, oldest first."""
        self.server.finish_runs()
        # Not from the API, whose list has no order among runs of the same millisecond.
        runs = self.server.state.store.all("flow_run", flowId=flow_id)
        return [self.call("GET", f"/flow-runs/{run['id']}") for run in runs]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API of the stand-in as its admin."""
        response = Client(self.server.app).open(
            self.server.state.api_root + path,
            method=method,
            json=body,
            headers={"Authorization": f"Bearer {self.server.user_token()}"},
        )
        if response.status_code >= 300:
            params = (response.get_json() or {}).get("params") or {}
            raise _failure(params.get("standardError") or response.text)
        return response.get_json() if response.data else None

    def _connect(self, **whom: Any) -> str:
        """A connection with an access token of that user; returns the expression for it."""
        token = issue_access_token(self.app, base_url=self.url, **whom)
        if "OAUTH2" in self.auth or not self.auth:
            value = {"type": "OAUTH2", "access_token": token, "data": {}, "props": {"base_url": self.url}}
        else:
            value = {"type": "SECRET_TEXT", "secret_text": token}
        external_id = self.server.add_connection(self.name, value)
        return f"{{{{connections['{external_id}']}}}}"

    def _new_flow(self, trigger: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
        body = {"displayName": trigger["triggerName"], "projectId": self.server.project_id}
        flow_id = str(self.call("POST", "/flows", body)["id"])
        settings = {**trigger, "input": dict(inputs)}
        step = {"name": "trigger", "type": "PIECE_TRIGGER", "displayName": "x", "valid": True, "settings": settings}
        self.call("POST", f"/flows/{flow_id}", {"type": "UPDATE_TRIGGER", "request": step})
        return flow_id

    def _publish(self, flow_id: str) -> None:
        self.call("POST", f"/flows/{flow_id}", {"type": "LOCK_AND_PUBLISH", "request": {}})


def install_piece(app: Flask, server: ActivepiecesServer, url: str) -> InstalledPiece:
    """Install the app's piece as ``flask activepieces piece install`` does, for an app that is served at ``url``."""
    state = get_state(app)
    with app.app_context():
        definition = state.piece.definition()
        addresses = replace(Addresses.from_settings(state.settings), base_url=url)
        archive = build_archive(build_manifest(definition, addresses, version=_VERSION))
    response = Client(server.app).post(
        f"{server.state.api_root}/pieces",
        data={
            "packageType": "ARCHIVE",
            "scope": "PLATFORM",
            "pieceName": archive.name,
            "pieceVersion": archive.version,
            "pieceArchive": (BytesIO(archive.content), archive.file_name),
        },
        headers={"Authorization": f"Bearer {server.user_token()}"},
    )
    assert response.status_code == 201, response.text
    return InstalledPiece(app, server, url, archive.name, [kind.kind for kind in definition.piece.auth])


def _failure(report: str) -> StepFailed:
    """The error in the report of an engine."""
    try:
        described = json.loads(report)
        return StepFailed(described["errorName"], described["message"])
    except (ValueError, KeyError, TypeError):
        return StepFailed("Error", report)
