"""Pieces in Node, called as the engine of Activepieces calls them (`piece_engine.js`)."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from flask_activepieces.pieces.archive import build_archive
from tests.support.requirements import require

_SCRIPT = Path(__file__).with_suffix(".js")
WEBHOOK_URL = "https://activepieces.example/api/v1/webhooks/the-flow"


class PieceError(Exception):
    """What a piece threw: the sentence, and all that the engine would show of the error."""

    def __init__(self, message: str, shown: str) -> None:
        self.shown = shown
        super().__init__(message)


class Asked(Protocol):
    """Whatever plays the engine."""

    def ask(self, **question: Any) -> dict[str, Any]:
        """What a call of a piece returned, wrote and logged."""


@dataclass
class Engine:
    """A Node process for any number of pieces."""

    process: subprocess.Popen[str]

    def ask(self, **question: Any) -> dict[str, Any]:
        """What a call of a piece returned, wrote and logged."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise PieceError(answer["error"], answer["shown"])
        return answer


@contextmanager
def running_engine() -> Iterator[Engine]:
    """An engine that ends with the block."""
    node = require("node")
    with subprocess.Popen([node, str(_SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Engine(process)
        finally:
            assert process.stdin
            process.stdin.close()


@dataclass
class LoadedPiece:
    """A piece that was built, unpacked and loaded."""

    engine: Asked
    directory: Path
    #: The connection, as the engine passes it to actions and triggers.
    connection: dict[str, Any]
    #: Of the last call.
    logged: list[str] = field(default_factory=list)
    files: list[dict[str, str]] = field(default_factory=list)
    store: dict[str, str] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """What the server stores of it."""
        result: dict[str, Any] = self.engine.ask(directory=str(self.directory), steps=["metadata"])["result"]
        return result

    def run(self, action: str, *, run_id: str = "run-1", step: str = "step_1", **inputs: Any) -> Any:
        """Run an action."""
        return self.call(["action", action, "run"], inputs, run={"id": run_id}, step={"name": step})

    def try_out(self, action: str, **inputs: Any) -> Any:
        """Test an action's step in the editor."""
        return self.call(["action", action, "test"], inputs, run={"id": "run-1"}, step={"name": "step_1"})

    def hook(self, trigger: str, hook: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Call a hook of a trigger."""
        context = {"webhookUrl": WEBHOOK_URL, "flows": {"current": {"id": "the-flow"}}, **more}
        return self.call(["trigger", trigger, hook], inputs or {}, **context)

    def form(self, steps: list[str], *, search: str | None = None, **inputs: Any) -> Any:
        """Ask for the options or fields of a property."""
        searched: dict[str, Any] = {} if search is None else {"searchValue": search}
        return self.call(steps, inputs, **searched)

    def call(
        self,
        steps: list[str],
        inputs: Mapping[str, Any],
        *,
        settings: Mapping[str, Any] | None = None,
        **context: Any,
    ) -> Any:
        """Call a function of the piece; as in the engine, `propsValue` contains the connection."""
        values = {**inputs, "auth": self.connection} if self.connection else dict(inputs)
        full = {"auth": self.connection or None, "propsValue": values, **context}
        return self.ask(steps, full, **(settings or {}))

    def ask(self, steps: list[str], context: Mapping[str, Any], **settings: Any) -> Any:
        """Call a function of the piece in exactly this context."""
        answer = self.engine.ask(directory=str(self.directory), steps=steps, context=context, **settings)
        self.logged, self.files, self.store = answer["logged"], answer["files"], answer["store"]
        return answer.get("result")


def load(engine: Asked, directory: Path, manifest: Mapping[str, Any], connection: dict[str, Any]) -> LoadedPiece:
    """Build the piece of this manifest and unpack it here, as a worker does."""
    unpack(build_archive(manifest).content, directory)
    return LoadedPiece(engine, directory / "package", connection)


def unpack(archive: bytes, directory: Path) -> None:
    """Extract the files of a ``.tgz``."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        opened.extractall(directory, filter="data")


def file_input(name: str, content: bytes) -> dict[str, Any]:
    """A file, as the engine passes it to an action."""
    return {"filename": name, "data": {"$bytes": b64encode(content).decode()}, "extension": name.rpartition(".")[2]}
