"""A reader can follow a code exchange through few functions and files."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

from flask import Flask

import flask_activepieces
from tests.support.actors import Person, Program

PACKAGE = Path(flask_activepieces.__file__).parent
#: Packages whose functions count; the names of functions in `crypto`, `storage` and `config` explain themselves.
PACKAGES = ("web", "state.py", "oauth")
MAX_CALLS = 30
MAX_FILES = 14


class CallRecorder:
    """Records functions in the order of their first call, except constructors, properties and comprehensions."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self._properties = set(_properties())

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "call" or code.co_name.startswith(("<", "__")) or code in self._properties:
            return
        path = Path(code.co_filename)
        if path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0] in PACKAGES:
            function = f"{path.relative_to(PACKAGE)}: {code.co_name}"
            if function not in self.functions:
                self.functions.append(function)

    @property
    def files(self) -> set[str]:
        return {function.partition(":")[0] for function in self.functions}


def _properties() -> list[CodeType]:
    modules = [module for name, module in sys.modules.items() if name.startswith("flask_activepieces")]
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    members = [member for one in classes for member in vars(one).values()]
    return [
        member.fget.__code__
        for member in members
        if isinstance(member, property) and isinstance(member.fget, FunctionType)
    ]


def test_a_code_exchange_can_be_followed(app: Flask, program: Program, bob: Person) -> None:
    program.redeems(bob.allows(program.question()))  # builds statements that are kept
    code = bob.allows(program.question())
    recorder = CallRecorder()

    sys.setprofile(recorder)
    try:
        response = program.redeems(code)
    finally:
        sys.setprofile(None)

    assert response.status_code == 200
    sequence = "\n".join(recorder.functions)
    assert len(recorder.functions) <= MAX_CALLS, sequence
    assert len(recorder.files) <= MAX_FILES, sequence
