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
    "config": 0,
    "crypto": 0,
    "host": 0,
    "signals": 1,
    "storage": 1,
    "api_client": 2,
    "oauth": 3,
    "integrations": 4,
    "state": 5,
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
MAY_IMPORT_FLASK = {
    "host.interface",
    "host.flask_login",
    "state",
    "web",
    "cli",
    "extension",
    "testing",
}
MAY_IMPORT_FLASK_LOGIN = {"host.flask_login"}


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


@pytest.mark.parametrize("module", MODULES)
def test_module_has_a_row(module: str) -> None:
    """A new package needs a row before anything imports it."""
    assert area(module) in LAYERS, f"give {area(module)!r} a row in LAYERS"


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_only_from_rows_above(module: str) -> None:
    row = LAYERS[area(module)]

    forbidden = {
        name
        for name in imported_modules(module)
        if LAYERS[area(name)] > row
        or (LAYERS[area(name)] == row and area(name) != area(module) and row not in OPEN_ROWS)
    }

    assert not forbidden


@pytest.mark.parametrize("module", MODULES)
def test_only_testing_imports_the_stand_in(module: str) -> None:
    """The stand-in is for tests and demos; an app in production never loads it."""
    standin = {name for name in imported_modules(module) if is_among(name, {"testing"})}

    assert not standin or is_among(module, {"testing"})


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_no_name_from_the_package_root(module: str) -> None:
    """The root imports everything, so importing from it would create a cycle."""
    assert ROOT not in imported_modules(module)


def test_imports_have_no_cycle() -> None:
    graph = {module: imported_modules(module) - {module} for module in MODULES}

    TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


@pytest.mark.parametrize("module", MODULES)
def test_only_the_outer_layers_import_flask(module: str) -> None:
    roots = {name.split(".")[0] for name in imported_names(module)}

    assert "flask" not in roots or is_among(module, MAY_IMPORT_FLASK)
    assert "flask_login" not in roots or is_among(module, MAY_IMPORT_FLASK_LOGIN)


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


@pytest.mark.parametrize("module", sorted(set(MODULES) - LATE))
def test_module_imports_our_own_package_at_the_top(module: str) -> None:
    assert not late_imports(module)
