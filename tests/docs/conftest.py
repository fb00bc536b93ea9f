"""Runs the Python blocks of a page in order, as one module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from tests.support import hosts

#: The names that the blocks of a page define.
Namespace = dict[str, Any]
RunPage = Callable[[Path], Namespace]

SYBIL = Sybil(parsers=[PythonCodeBlockParser()])
#: Apps find their files next to this module, as they would next to the reader's.
MODULE = "app"


@pytest.fixture
def run_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPage]:
    """Run a page in an empty directory; a failure shows its line in the page."""
    module = ModuleType(MODULE)
    module.__file__ = str(tmp_path / f"{MODULE}.py")
    monkeypatch.setitem(sys.modules, MODULE, module)
    monkeypatch.chdir(tmp_path)
    # Readers export these before they start an app.
    monkeypatch.setenv("FLASK_SECRET_KEY", hosts.SECRET_KEY)
    monkeypatch.setenv("SECRET_KEY", hosts.SECRET_KEY)

    def run(path: Path) -> Namespace:
        document = SYBIL.parse(path)
        document.namespace = vars(module)
        for example in document.examples():
            example.evaluate()
        return document.namespace

    yield run
    for value in list(vars(module).values()):
        if isinstance(value, Flask) and "sqlalchemy" in value.extensions:
            hosts.dispose(value)
