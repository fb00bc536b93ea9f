"""The package is built in layers: a file imports only from rows above its own.

CONTRIBUTING.md gives the reasons. Row numbers grow downwards, from the most basic modules to the top level.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = "flask_activepieces"
PACKAGE = Path(__file__).parents[2] / ROOT

# First part of a module's name inside the package -> its row.
LAYERS = {
    "errors": 0,
    "clock": 0,
    "messages": 0,
    "sentences": 0,
    "config": 0,
    "crypto": 0,
    "host": 0,
    "signals": 1,
    "storage": 1,
    "api_client": 2,
    "oauth": 3,
    "pieces": 3,
    "integrations": 4,
    "delivery": 4,
    "mcp": 4,
    "state": 5,
    "doctor": 6,
    "web": 6,
    "cli": 6,
    "extension": 7,
    "__init__": 7,
    "testing": 7,
}

# In these rows packages may import one another, as long as there is no cycle; in the other rows
# they may not.
OPEN_ROWS = {0, 1, 6, 7}

# The modules and packages that may import each framework. Ruff (TID251) already reports this in the editor.
MAY_IMPORT_FLASK = {"host.interface", "host.flask_login", "state", "doctor", "web", "cli", "extension", "testing"}
MAY_IMPORT_FLASK_LOGIN = {"host.flask_login", "testing.sign_in"}


def module_name(path: Path) -> str:
    """``oauth/codes.py`` is ``flask_activepieces.oauth.authorization.codes``; ``__init__.py`` is its package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imported_names(module: str) -> frozenset[str]:
    """The full name of everything that the module imports, at any depth of its code."""
    return frozenset(_imports(module))


def _imports(module: str) -> Iterator[str]:
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from _imported(node, package)


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            start = package.split(".")
            base = ".".join([*start[: len(start) - node.level + 1], *filter(None, [base])])
        yield from (f"{base}.{alias.name}" for alias in node.names)


def imported_modules(module: str) -> set[str]:
    """The modules of this package that the module imports, or imports a name from."""
    internal = {name for name in imported_names(module) if f"{name}.".startswith(f"{ROOT}.")}
    return {name if name in MODULES else name.rpartition(".")[0] for name in internal}


def area(module: str) -> str:
    """The key of a module in LAYERS."""
    return module.split(".")[1] if "." in module else "__init__"


def is_among(module: str, names: set[str]) -> bool:
    """Whether the module, or a package that contains it, is one of the names."""
    return any(f"{module}.".startswith(f"{ROOT}.{name}.") for name in names)


# One test for all modules: with one for each, this file had a sixth of all tests.


def test_each_module_has_a_row() -> None:
    """A new package needs a row before anything imports it."""
    assert {area(module) for module in MODULES} <= set(LAYERS)


def test_modules_import_only_from_rows_above() -> None:
    forbidden = {
        (module, name)
        for module in MODULES
        for name in imported_modules(module)
        if breaks_the_order(area(module), area(name))
    }

    assert not forbidden


def breaks_the_order(importing: str, imported: str) -> bool:
    """Whether the one area may not import from the other."""
    if LAYERS[imported] != LAYERS[importing]:
        return LAYERS[imported] > LAYERS[importing]
    return imported != importing and LAYERS[importing] not in OPEN_ROWS


def test_only_testing_imports_the_stand_in() -> None:
    """The stand-in is for tests and demos; an app in production never loads it."""
    others = {
        (module, name)
        for module in MODULES
        for name in imported_modules(module)
        if is_among(name, {"testing"}) and not is_among(module, {"testing"})
    }

    assert not others


def test_no_module_imports_a_name_from_the_package_root() -> None:
    """The root imports everything, so importing from it would create a cycle."""
    assert not {module for module in MODULES if ROOT in imported_modules(module)}


def test_imports_have_no_cycle() -> None:
    graph = {module: imported_modules(module) - {module} for module in MODULES}

    TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


@pytest.mark.parametrize(
    ("library", "may_import"), [("flask", MAY_IMPORT_FLASK), ("flask_login", MAY_IMPORT_FLASK_LOGIN)]
)
def test_only_the_outer_layers_import_flask(library: str, may_import: set[str]) -> None:
    importing = {module for module in MODULES if library in {name.split(".")[0] for name in imported_names(module)}}

    assert not {module for module in importing if not is_among(module, may_import)}


def late_imports(module: str) -> set[str]:
    """The names of our own package that a module imports inside a function."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    nodes = {node for function in functions for node in ast.walk(function)}
    return {
        name
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _imported(node, package)
        if name.startswith(f"{ROOT}.")
    }


#: The plugin is loaded in every pytest run of an app that uses us, and the stand-in only in those that ask for it.
LATE = {f"{ROOT}.testing", f"{ROOT}.testing.plugin"}


def test_modules_import_our_own_package_at_the_top() -> None:
    assert not {module for module in MODULES.keys() - LATE if late_imports(module)}
