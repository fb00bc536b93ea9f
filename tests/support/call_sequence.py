"""Records which functions of the package a request calls, to measure how hard it is to follow."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import flask_activepieces

_PACKAGE = Path(flask_activepieces.__file__).parent
#: Packages whose functions a reader does not look into: only calls from outside them count.
_LIBRARIES = ("api_client", "config", "crypto", "host", "storage")


@dataclass(frozen=True)
class CallSequence:
    """Functions in the order of their first call, as ``file: function``."""

    functions: tuple[str, ...]

    @property
    def files(self) -> set[str]:
        """The files that contain the functions."""
        return {function.partition(":")[0] for function in self.functions}

    def __str__(self) -> str:
        total = f"{len(self.functions)} functions in {len(self.files)} files"
        return "\n".join([*self.functions, total])


def record_calls(act: Callable[[], Any]) -> CallSequence:
    """The functions that ``act`` calls in this thread across files.

    Calls within one file do not count, because the reader is already there. Neither do lambdas, comprehensions,
    constructors, and calls from inside `_LIBRARIES`.
    """
    functions: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        file, code = _file_of(frame.f_code), frame.f_code
        if event != "call" or file is None or code.co_name.startswith(("<", "__")):
            return
        if code.co_name.startswith("_") and file.partition("/")[0] in _LIBRARIES:
            return  # a callback of the library itself
        caller = _calling_file(frame)
        if caller != file and caller.partition("/")[0] not in _LIBRARIES:
            name = getattr(code, "co_qualname", code.co_name)  # from Python 3.11 on
            functions[f"{file}: {name.replace('.<locals>', '')}"] = None

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return CallSequence(tuple(functions))


def _file_of(code: CodeType) -> str | None:
    """The file of a function, relative to the package; None outside the package and in the stand-in."""
    path = Path(code.co_filename)
    if not path.is_relative_to(_PACKAGE):
        return None
    file = path.relative_to(_PACKAGE).as_posix()
    return None if file.startswith("testing/") else file


def _calling_file(frame: FrameType) -> str:
    """The file of the nearest caller inside the package; empty if there is none."""
    caller = frame.f_back
    while caller is not None:
        file = _file_of(caller.f_code)
        if file is not None:
            return file
        caller = caller.f_back
    return ""
