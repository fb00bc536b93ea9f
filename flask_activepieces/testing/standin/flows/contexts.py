"""What an engine passes to the functions of a piece while a flow runs, or while its form is open."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..connections.engine import read_connection
from ..pieces.catalogue import bare
from ..pieces.piece import StandinPiece, StepFailed
from ..routing.authentication import engine_token
from ..routing.responses import ErrorResponse, Json, Row
from ..state import ServerState
from ..store import new_id
from .expressions import resolve
from .inputs import process

#: Replaces the value of a connection in stored runs.
_REDACTED = "**REDACTED**"
_STORE = "store_entry"
FILES = "step_file"


@dataclass(frozen=True)
class Inputs:
    """The inputs of a step: as its piece gets them, and as they may be stored."""

    values: Row
    redacted: Row


def resolve_inputs(
    state: ServerState, project_id: str, piece: StandinPiece, settings: Row, *, props: Mapping[str, Any], scope: Row
) -> Inputs:
    """The inputs of a step, with its expressions evaluated and each property converted to its type."""
    expressions = settings.get("input", {})
    connections = Connections(state, project_id, piece)
    values = resolve(expressions, {**scope, "connections": connections})
    redacted = resolve(expressions, {**scope, "connections": _RedactedConnections()})
    return Inputs({**process(props, values)}, redacted)


def call_fields(state: ServerState, project_id: str, piece: StandinPiece, step_name: str, values: Row) -> Row:
    """The fields that every call of a piece has."""
    project = state.store.get("project", project_id)
    assert project is not None, "a project takes its flows with it"
    url = state.url + state.api_root.removesuffix("v1")
    external_id = project["externalId"]
    return {
        "auth": values.get("auth"),
        "props": values,
        "connections": Connections(state, project_id, piece),
        "server": {"apiUrl": url, "publicUrl": url, "token": engine_token(state, project_id)},
        "project": {"id": project_id} | ({"externalId": external_id} if external_id else {}),
        "step": {"name": step_name},
    }


class FlowStore:
    """What pieces keep for a flow, or for all flows of its project. Test runs have a store of their own."""

    def __init__(self, state: ServerState, flow: Row, *, test: bool = False) -> None:
        self._state = state
        self._flow = flow
        self._prefix = "test" if test else ""

    def get(self, key: str, scope: str = "FLOW") -> Json:
        """The value, or None."""
        row = self._row(key, scope)
        return self._state.store.decrypt(row["sealed"]) if row else None

    def put(self, key: str, value: Json, scope: str = "FLOW") -> None:
        """Keep a value."""
        sealed = self._state.store.encrypt(value)
        row = self._row(key, scope)
        if row is not None:
            self._state.store.change(_STORE, row["id"], sealed=sealed)
        else:
            self._state.store.add(_STORE, {**self._place(key, scope), "sealed": sealed})

    def delete(self, key: str, scope: str = "FLOW") -> None:
        """Forget a value, if there is one."""
        row = self._row(key, scope)
        if row is not None:
            self._state.store.drop(_STORE, row["id"])

    def values(self, scope: str) -> Row:
        """All values."""
        start = self._full_key("", scope)
        rows = self._state.store.all(_STORE, lambda row: row["key"].startswith(start), **self._project())
        return {row["key"].removeprefix(start): self._state.store.decrypt(row["sealed"]) for row in rows}

    def _row(self, key: str, scope: str) -> Row | None:
        return self._state.store.first(_STORE, **self._place(key, scope))

    def _place(self, key: str, scope: str) -> dict[str, str]:
        return {**self._project(), "key": self._full_key(key, scope)}

    def _project(self) -> dict[str, str]:
        return {"projectId": self._flow["projectId"]}

    def _full_key(self, key: str, scope: str) -> str:
        """As in an engine, which is why a piece in a test run finds nothing of the running flow."""
        return f"{self._prefix}{key}" if scope == "PROJECT" else f"{self._prefix}flow_{self._flow['id']}/{key}"


class FlowFiles:
    """The files that steps of a project store."""

    def __init__(self, state: ServerState, project_id: str) -> None:
        self._state = state
        self._project_id = project_id
        self.prefix = f"{state.url}{state.api_root}/step-files/signed?token="

    def write(self, name: str, content: bytes, token: str | None = None) -> str:
        """Store a file; returns its URL."""
        token = token or new_id(32)
        sealed = self._state.store.encrypt(base64.b64encode(content).decode())
        self._state.store.add(
            FILES, {"projectId": self._project_id, "fileName": name, "token": token, "sealed": sealed}
        )
        return self.prefix + token


class Connections(dict[str, Json]):
    """The connections of a project, each read when an expression refers to it."""

    def __init__(self, state: ServerState, project_id: str, piece: StandinPiece) -> None:
        super().__init__()
        self._state = state
        self._project_id = project_id
        self._is_bare = piece.context_version is None

    def __missing__(self, external_id: str) -> Json:
        try:
            row = read_connection(self._state, self._project_id, external_id)
        except ErrorResponse as error_response:
            message = f"connection ({external_id}) could not be loaded: {error_response.status}"
            raise _connection_error("ConnectionLoadingError", message) from error_response
        if row is None:
            raise _connection_error("ConnectionNotFound", f"connection ({external_id}) not found")
        if row["status"] == "ERROR":
            message = f"connection ({external_id}) expired, reconnect again"
            raise _connection_error("ConnectionExpired", message)
        return bare(row["value"]) if self._is_bare else row["value"]


class _RedactedConnections(dict[str, Json]):
    """Connections as they may be stored with a run."""

    def __missing__(self, external_id: str) -> str:
        return _REDACTED


def _connection_error(name: str, message: str) -> StepFailed:
    return StepFailed(name, json.dumps({"message": message}, indent=2))
