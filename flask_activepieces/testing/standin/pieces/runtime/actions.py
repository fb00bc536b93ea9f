"""The actions of a piece."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from ...routing.responses import Json, Row
from ..calls import ActionCall
from .app import App
from .custom_call import call_custom
from .failures import Failure, to_json
from .files import replace_files, take_files, write_files
from .http import text
from .properties import Property, build_properties, is_empty


class Action:
    """One action of a piece."""

    def __init__(self, app: App, described: Row) -> None:
        self._app = app
        self._request: Row = described["request"]
        self._fields: Mapping[str, Row] = described.get("props", {})
        self._keys = Keys()
        self.props: dict[str, Property] = build_properties(app, described)

    def run(self, call: ActionCall) -> Json:
        """Run a step of a flow."""
        return self._keys.during(call, lambda key: self._perform(call, {"idempotency-key": key}))

    def test(self, call: ActionCall) -> Json:
        """Try the step out in the editor. Each attempt counts, so there is no key."""
        return self._perform(call, {})

    def _perform(self, call: ActionCall, headers: Mapping[str, str]) -> Json:
        if self._request.get("custom"):
            return call_custom(self._app, call, headers)
        inputs = self._filled_inputs(call.props)
        output = self._app.call(
            call.auth,
            self._request["method"],
            self._path(inputs),
            query=_pick(inputs, self._request.get("query", ())),
            headers=headers,
            timeout="action",
            **self._body(inputs),
        )
        return write_files(call.files, output)

    def _filled_inputs(self, values: Row) -> Row:
        """Only the action's own fields: the values also contain the whole connection, with all its secrets.

        Empty fields are left out, because the app would reject or store them.
        """
        return {
            name: values[name]
            for name, field in self._fields.items()
            if field["type"] != "MARKDOWN" and not is_empty(values.get(name))
        }

    def _path(self, inputs: Row) -> str:
        path: str = self._request["path"]
        for name in self._request.get("pathParams", ()):
            value = text(inputs[name]) if name in inputs else ""
            # A value must not lead to another route.
            if value in ("", ".", "..") or "/" in value:
                title = self._fields.get(name, {}).get("displayName", name)
                raise Failure(f'Fill in "{title}" with a valid value.')
            path = path.replace(f"{{{name}}}", quote(value, safe="!*'()"), 1)
        return path

    def _body(self, inputs: Row) -> dict[str, Any]:
        names = [*self._request.get("body", ()), *self._request.get("files", ())]
        rest, parts = take_files(_pick(inputs, names))
        if parts:
            files = [(name, file.filename, file.data) for name, file in parts]
            return {"form": [("input", None, to_json(rest).encode()), *files]}
        return {} if self._request["method"] in ("GET", "DELETE") else {"json": (rest,)}


def _pick(inputs: Row, names: Any) -> Row:
    return {name: inputs[name] for name in names if name in inputs}


class Keys:
    """The idempotency keys of one action, by which the app recognizes a repeated step (``idempotency.js``).

    A key has the run, the step, a hash of the inputs and, for equal inputs in a loop, how often one succeeded.
    """

    def __init__(self) -> None:
        #: Key -> how often a call with it succeeded.
        self._successes: dict[str, int] = {}

    def during(self, call: ActionCall, perform: Callable[[str], Json]) -> Json:
        """The output of a call with its key."""
        key = _key_of(call)
        before = self._successes.get(key, 0)
        output = perform(f"{key}:{before}" if before else key)
        self._successes[key] = before + 1
        return output


def _key_of(call: ActionCall) -> str:
    inputs = {name: value for name, value in call.props.items() if name != "auth"}
    content = replace_files(inputs, lambda file: [file.filename, _hash(file.data)])
    return f"{call.run['id']}:{call.step['name']}:{_hash(to_json(content).encode())[:16]}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
