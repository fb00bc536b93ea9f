"""A key that says to the app "this is the same call again", so that a repeated step does not act twice.

It has the run, the step, a hash of the inputs and, for equal inputs in a loop, how often such a call has succeeded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from ...routing.responses import Json
from ..calls import ActionCall
from .failures import to_json
from .files import replace_files


class Keys:
    """The keys of one action."""

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
