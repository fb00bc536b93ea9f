"""Runs the JavaScript of a package in Node, as an engine does: a new process for each call."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..routing.responses import Json, Row
from .calls import ActionCall, FormCall, PieceFile, PieceStore, TriggerCall
from .piece import StepFailed

_ENGINE = Path(__file__).with_suffix(".js")
_SCOPES = ("FLOW", "PROJECT")
#: Longer than any timeout of a piece's requests.
_TIMEOUT = 180
_log = logging.getLogger("flask_activepieces.testing.pieces")


class JavaScript:
    """The files of one package, unpacked until this object is closed."""

    def __init__(self, node: str, files: Mapping[str, bytes], entry: str) -> None:
        self._node = node
        self._entry = entry
        self._directory = tempfile.TemporaryDirectory(prefix="activepieces-piece-")
        for path, content in files.items():
            target = Path(self._directory.name, path)
            if not target.resolve().is_relative_to(Path(self._directory.name).resolve()):
                raise ValueError(f"the archive has the path {path}, which leads out of it")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def close(self) -> None:
        """Delete the files."""
        self._directory.cleanup()

    def run(self, steps: list[str], call: ActionCall | TriggerCall) -> Json:
        """Call a function of an action or a trigger."""
        values = {scope: call.store.values(scope) for scope in _SCOPES}
        answer = self._ask(steps, context=_context(call), store=values, filePrefix=call.files.prefix)
        for file in answer["files"]:
            call.files.write(file["name"], base64.b64decode(file["base64"]), file["token"])
        for scope in _SCOPES:
            _keep(call.store, scope, values[scope], answer["store"][scope])
        return _result(answer)

    def fill(self, steps: list[str], call: FormCall) -> Json:
        """Call the function that fills a property."""
        searched = {} if call.search is None else {"searchValue": call.search}
        return _result(self._ask(steps, args=[call.props, searched]))

    def look(self, steps: list[str], auth: Json) -> Json:
        """Call a function of a kind of connection; it may be missing."""
        return _result(self._ask(steps, args=[{"auth": auth}]))

    def _ask(self, steps: list[str], **question: Any) -> Row:
        document = {"directory": self._directory.name, "entry": self._entry, "steps": steps, "args": [], **question}
        finished = subprocess.run(  # noqa: S603 - the program is the test's own choice
            [self._node, str(_ENGINE)],
            input=json.dumps({"store": {}, **document}, default=_bytes),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        if finished.returncode != 0 or not finished.stdout:
            raise StepFailed("Error", f"Node failed: {finished.stderr.strip()[-500:]}")
        answer: Row = json.loads(finished.stdout)
        for line in answer["logged"]:
            _log.info("%s", line)
        return answer


def _result(answer: Row) -> Json:
    if "error" in answer:
        raise StepFailed("Error", answer["error"])
    return answer.get("result")


def _keep(store: PieceStore, scope: str, before: Row, after: Row) -> None:
    for key in before.keys() - after.keys():
        store.delete(key, scope)
    for key, value in after.items():
        if key not in before or before[key] != value:
            store.put(key, value, scope)


def _context(call: ActionCall | TriggerCall) -> Row:
    common = {
        "auth": call.auth,
        "propsValue": call.props,
        "server": dict(call.server),
        "project": dict(call.project),
        "step": dict(call.step),
    }
    if isinstance(call, ActionCall):
        return {**common, "run": dict(call.run)}
    flows = {"current": {"id": call.flow_id}}
    return {**common, "webhookUrl": call.webhook_url, "payload": call.payload, "flows": flows}


def _bytes(value: object) -> Row:
    """A file, as JavaScript gets it."""
    if not isinstance(value, PieceFile):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return {**asdict(value), "data": {"$bytes": base64.b64encode(value.data).decode()}}
