"""Installs the piece of a manifest in a stand-in, and calls it there."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from werkzeug.test import Client, TestResponse

from flask_activepieces.pieces.archive import PieceArchive, build_archive
from tests.support.piece_manifest import SECRET_TEXT, manifest
from tests.support.standin import Standin

NAME = "@tasklane/piece-tasklane"
TOKEN = {"type": "SECRET_TEXT", "secret_text": "pat-of-ann"}
AUTH = "{{connections['key']}}"


def install(standin: Standin, piece: PieceArchive, **changes: Any) -> TestResponse:
    """Upload a piece. Fields with the value None are omitted."""
    form = {
        "packageType": "ARCHIVE",
        "scope": "PLATFORM",
        "pieceName": piece.name,
        "pieceVersion": piece.version,
        "pieceArchive": (io.BytesIO(piece.content), "piece.tgz"),
        **changes,
    }
    return Client(standin.server.app).post(
        f"{standin.server.state.api_root}/pieces",
        data={name: value for name, value in form.items() if value is not None},
        headers={"Authorization": f"Bearer {standin.token}"},
    )


def install_manifest(standin: Standin, base_url: str, **more: Any) -> None:
    """Install a piece of the app at ``base_url``, and create the connection ``key`` with a token."""
    answer = install(standin, build_archive(manifest(base_url, **{"auth": [SECRET_TEXT], **more})))
    assert answer.status_code == 201, answer.text
    standin.connect("key", NAME, TOKEN)


def piece_trigger(name: str, **inputs: Any) -> dict[str, Any]:
    """The trigger of a flow that uses this trigger of the piece."""
    settings = {"pieceName": NAME, "pieceVersion": "1.0.0", "triggerName": name, "input": {"auth": AUTH, **inputs}}
    return {"type": "PIECE_TRIGGER", "name": "trigger", "displayName": name, "valid": True, "settings": settings}


def draft_with(standin: Standin, trigger: Mapping[str, Any], *steps: dict[str, Any]) -> str:
    """Create an unpublished flow with this trigger; returns its id."""
    flow_id = standin.flow(*steps, publish=False)
    standin.operate(flow_id, "UPDATE_TRIGGER", dict(trigger))
    return flow_id


def publish(standin: Standin, flow_id: str) -> TestResponse:
    """Publish a flow."""
    return standin.ask("POST", f"/flows/{flow_id}", {"type": "LOCK_AND_PUBLISH", "request": {}})


def set_status(standin: Standin, flow_id: str, status: str) -> TestResponse:
    """Enable or disable a flow."""
    return standin.ask("POST", f"/flows/{flow_id}", {"type": "CHANGE_STATUS", "request": {"status": status}})


def status_of(standin: Standin, flow_id: str) -> str:
    """ENABLED or DISABLED."""
    return str(standin.get(f"/flows/{flow_id}")["status"])


def outputs_of(standin: Standin, flow_id: str) -> list[Any]:
    """The output of the trigger in each run, the oldest first."""
    standin.server.finish_runs()
    # Not from the API, whose list has no order among runs of the same millisecond.
    rows = standin.server.state.store.all("flow_run", flowId=flow_id)
    runs = [standin.get(f"/flow-runs/{run['id']}") for run in rows]
    return [run["steps"]["trigger"]["output"] for run in runs]
