"""Runs the Python blocks of a page in order, as one module.

A block whose first line is a path, such as ``# shop/models.py``, is a file: the page's files are written first, and
the block is imported when it is its turn.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from tests.support import hosts
from tests.support.documents import file_name, files

#: The names that the blocks of a page define.
Namespace = dict[str, Any]
RunPage = Callable[[Path], Namespace]

SYBIL = Sybil(parsers=[PythonCodeBlockParser()])
#: Apps find their files next to this module, as they would next to the reader's.
MODULE = "app"
#: These pages add files to the package of another page.
BUILDS_ON = {"settings-page": "existing-app", "deploy": "existing-app"}
#: It does not support every Python that we support. Blocks with it run where it is installed.
OPTIONAL_PACKAGE = "flask_security"


@pytest.fixture
def run_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPage]:
    """Run a page in an empty directory; a failure shows its line in the page."""
    module = ModuleType(MODULE)
    module.__file__ = str(tmp_path / f"{MODULE}.py")
    monkeypatch.setitem(sys.modules, MODULE, module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    # Readers export these before they start an app.
    monkeypatch.setenv("FLASK_SECRET_KEY", hosts.SECRET_KEY)
    monkeypatch.setenv("SECRET_KEY", hosts.SECRET_KEY)

    def run(path: Path) -> Namespace:
        if path.stem in BUILDS_ON:
            write_files(path.with_stem(BUILDS_ON[path.stem]), tmp_path)
        write_files(path, tmp_path)
        document = SYBIL.parse(path)
        document.namespace = vars(module)
        for example in document.examples():
            code = str(example.parsed)
            if f"from {OPTIONAL_PACKAGE} " in code and find_spec(OPTIONAL_PACKAGE) is None:
                continue
            name = file_name(code)
            if name is None:
                example.evaluate()
            elif name.endswith(".conf.py"):  # not a module
                runpy.run_path(name)
            else:
                importlib.import_module(module_name(name))
        return document.namespace

    known = set(sys.modules)
    yield run
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    for value in list(vars(module).values()):
        if isinstance(value, Flask) and "sqlalchemy" in value.extensions:
            hosts.dispose(value)


def write_files(path: Path, directory: Path) -> None:
    """Write the files of a page; the root of absolute paths is the directory, too."""
    for name, content in files(path.read_text("utf-8")).items():
        target = directory / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def module_name(file: str) -> str:
    """The module that a file is: ``shop.models`` for ``shop/models.py``."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
