"""Runs the Python blocks of a page in order, as one module, in the current folder.

A block whose first line is a path, such as ``# shop/models.py``, is a file: the page's files are written first, and
the block is imported when it is its turn. ``python -m tests.support.page_runner PAGE`` does it without pytest and the
checkout, so that the installed package is used.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from sybil import Example, Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from .documents import file_name, files

SYBIL = Sybil(parsers=[PythonCodeBlockParser()])
#: Apps find their files next to this module, as they would next to the reader's.
MODULE = "app"
#: These pages add files to the package, or to the ``app.py``, of another page.
BUILDS_ON = {"settings-page": "existing-app", "deploy": "existing-app", "mcp": "quickstart"}
#: It does not support every Python that we support. Blocks with it run where it is installed.
OPTIONAL_PACKAGE = "flask_security"


@contextmanager
def page_module() -> Iterator[ModuleType]:
    """The module of a page; afterwards, all modules in the current folder are forgotten."""
    directory = Path.cwd()
    known = set(sys.modules)
    sys.path.insert(0, str(directory))
    module = sys.modules[MODULE] = ModuleType(MODULE)
    module.__file__ = str(directory / f"{MODULE}.py")
    try:
        yield module
    finally:
        sys.path.remove(str(directory))
        for name in set(sys.modules) - known:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(directory)):
                del sys.modules[name]


def run_page(path: Path, module: ModuleType) -> dict[str, Any]:
    """Run a page; a failure shows its line in the page. Returns what the page defines."""
    if path.stem in BUILDS_ON:
        base = path.with_stem(BUILDS_ON[path.stem])
        write_files(base)
        for example in _examples(base, module):
            if file_name(str(example.parsed)) == f"{MODULE}.py":
                example.evaluate()
    write_files(path)
    for example in _examples(path, module):
        code = str(example.parsed)
        if f"from {OPTIONAL_PACKAGE} " in code and find_spec(OPTIONAL_PACKAGE) is None:
            continue
        name = file_name(code)
        if name is None or name == f"{MODULE}.py":  # the module of the page itself
            example.evaluate()
        elif name.endswith(".conf.py"):  # not a module
            runpy.run_path(name)
        else:
            importlib.import_module(_module_name(name))
    return vars(module)


def write_files(path: Path) -> None:
    """Write the files of a page into the current folder, which is the root of absolute paths, too."""
    for name, content in files(path.read_text("utf-8")).items():
        target = Path(name.lstrip("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def _examples(path: Path, module: ModuleType) -> Iterator[Example]:
    """The Python blocks of a page; the module is their namespace."""
    document = SYBIL.parse(path)
    document.namespace = vars(module)
    return iter(document.examples())


def _module_name(file: str) -> str:
    """The module that a file is: ``shop.models`` for ``shop/models.py``."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


if __name__ == "__main__":
    with page_module() as main_module:
        run_page(Path(sys.argv[1]), main_module)
