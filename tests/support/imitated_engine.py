"""The stand-in's Python imitation of the piece's JavaScript, called like the engine in `piece_engine`."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask_activepieces.testing.standin.pieces.archive import metadata_row
from flask_activepieces.testing.standin.pieces.calls import ActionCall, PieceFile, TriggerCall
from flask_activepieces.testing.standin.pieces.piece import StepFailed
from flask_activepieces.testing.standin.pieces.runtime import http
from flask_activepieces.testing.standin.pieces.runtime.auth import Auth
from flask_activepieces.testing.standin.pieces.runtime.piece import RuntimePiece
from tests.support.piece_engine import PieceError

_LOGGER = logging.getLogger("flask_activepieces.testing.pieces")
_HOOKS = {
    "onEnable": "on_enable",
    "onDisable": "on_disable",
    "onRenew": "on_renew",
    "onHandshake": "on_handshake",
    "run": "run",
    "test": "test",
}


@dataclass
class MemoryStore:
    """The values of one flow, as JSON."""

    content: dict[str, str] = field(default_factory=dict)

    def get(self, key: str, scope: str = "FLOW") -> Any:
        return json.loads(self.content.get(key, "null"))

    def put(self, key: str, value: Any, scope: str = "FLOW") -> None:
        self.content[key] = json.dumps(value)

    def delete(self, key: str, scope: str = "FLOW") -> None:
        self.content.pop(key, None)

    def values(self, scope: str) -> dict[str, Any]:
        return {key: self.get(key) for key in self.content}


class FailingStore(MemoryStore):
    def get(self, key: str, scope: str = "FLOW") -> Any:
        raise OSError("the store is away")

    def delete(self, key: str, scope: str = "FLOW") -> None:
        raise OSError("the store is away")


@dataclass
class MemoryFiles:
    """The files that a step wrote."""

    prefix: str = "https://activepieces.example/files/"
    written: list[dict[str, str]] = field(default_factory=list)

    def write(self, name: str, content: bytes, token: str | None = None) -> str:
        self.written.append({"fileName": name, "content": base64.b64encode(content).decode()})
        return self.prefix + name


class ImitatedEngine:
    """Takes the questions of `piece_engine.Engine`, and answers them in Python."""

    def __init__(self) -> None:
        self._pieces: dict[str, RuntimePiece] = {}
        self._stores: dict[tuple[str, str], MemoryStore] = {}

    def ask(self, **question: Any) -> dict[str, Any]:
        """What a call of a piece returned, wrote and logged."""
        return self._answer(**question)

    def _answer(
        self,
        *,
        directory: str,
        steps: list[str],
        context: Mapping[str, Any] | None = None,
        prefix: str = "",
        storeFails: bool = False,
        timeouts: Mapping[str, float] | None = None,
    ) -> dict[str, Any]:
        if steps == ["metadata"]:
            return metadata(manifest_in(directory))
        piece = self._piece(directory)
        kept = self._stores.setdefault((directory, prefix), MemoryStore())
        files = MemoryFiles()
        with listening() as logged, waiting_for(timeouts or {}):
            try:
                result = call(piece, steps, revived(context or {}), FailingStore() if storeFails else kept, files)
            except StepFailed as error:
                raise PieceError(error.message, f"[{error.name}: {error.message}]") from error
        return {"result": result, "files": files.written, "store": kept.content, "logged": logged}

    def _piece(self, directory: str) -> RuntimePiece:
        if directory not in self._pieces:
            self._pieces[directory] = RuntimePiece(manifest_in(directory))
        return self._pieces[directory]


def manifest_in(directory: str) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(Path(directory, "src", "manifest.json").read_text("utf-8"))
    return manifest


def metadata(manifest: dict[str, Any]) -> dict[str, Any]:
    """What ``metadata()`` of the piece returns: the row of the stand-in, and what a server does not store."""
    row = {name: value for name, value in metadata_row(manifest).items() if value is not None}
    info = {"version": "1"}
    return {"result": {**row, "contextInfo": info}, "info": info, "names": list(row["actions"])}


def call(piece: RuntimePiece, steps: list[str], context: Any, store: MemoryStore, files: MemoryFiles) -> Any:
    """The result of a function of the piece."""
    part, name, *inner = steps
    if part == "auth":
        return ask_auth(piece.auth[int(name)], inner[0], context["auth"])
    step = piece.actions[name] if part == "action" else piece.triggers[name]
    if inner[0] == "props":
        prop = step.props[inner[1]]
        for each in inner[2:-1:2]:
            assert each == "properties"
            prop = prop.properties[inner[inner.index(each) + 1]]
        fill = prop.options if inner[-1] == "options" else prop.props
        return fill(context["propsValue"], context.get("searchValue"))
    common = {
        "auth": context["auth"],
        "props": context["propsValue"],
        "connections": {},
        "server": {},
        "project": {"id": "p"},
        "step": context.get("step", {"name": name}),
        "store": store,
        "files": files,
    }
    if part == "action":
        return getattr(step, inner[0])(ActionCall(**common, run=context.get("run", {"id": "r"})))
    if inner[0] == "onStart":
        return None  # the JavaScript has this hook, and does nothing in it
    flow_id = context["flows"]["current"]["id"]
    trigger_call = TriggerCall(
        **common, webhook_url=context["webhookUrl"], flow_id=flow_id, payload=context.get("payload", {})
    )
    return getattr(step, _HOOKS[inner[0]])(trigger_call)


def ask_auth(auth: Auth, function: str, value: Any) -> Any:
    if function == "validate":
        problem = auth.problem(value)
        return {"valid": True} if problem is None else {"valid": False, "error": problem}
    return auth.identify(value) if function == "getConnectionIdentifier" else auth.refresh(value)


def revived(value: Any) -> Any:
    """Files as the stand-in passes them."""
    if isinstance(value, list):
        return [revived(each) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("data"), dict) and "$bytes" in value["data"]:
        content = base64.b64decode(value["data"]["$bytes"])
        return PieceFile(value["filename"], content, value["extension"])
    return {name: revived(each) for name, each in value.items()}


@contextmanager
def listening() -> Iterator[list[str]]:
    """What the piece logs within the block."""
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    level = _LOGGER.level
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    try:
        yield logged
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.setLevel(level)


@contextmanager
def waiting_for(timeouts: Mapping[str, float]) -> Iterator[None]:
    """Other timeouts within the block."""
    before = dict(http.TIMEOUTS)
    http.TIMEOUTS.update(timeouts)
    try:
        yield
    finally:
        http.TIMEOUTS.update(before)
