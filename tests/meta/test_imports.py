"""Importing the package costs what it needs and no more, in whatever order its modules are imported."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import flask_activepieces

#: The optional companions, and what belongs to tests.
NOT_NEEDED = {
    "flask_babel",
    "flask_limiter",
    "flask_migrate",
    "flask_wtf",
    "limits",
    "psycopg",
    "pymysql",
    "pytest",
    "redis",
    "requests",
}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(flask_activepieces.__path__, "flask_activepieces.")
)

#: Imports every module on its own: all of the package is forgotten in between.
EACH_ALONE = """
import importlib, sys
for name in sys.argv[1:]:
    for loaded in [module for module in sys.modules if module.startswith("flask_activepieces")]:
        del sys.modules[loaded]
    importlib.import_module(name)
"""
WHAT_IS_LOADED = """
import sys
import flask_activepieces
print("\\n".join({name.partition(".")[0] for name in sys.modules}))
"""


def run(code: str, *arguments: str) -> list[str]:
    """The lines that a fresh interpreter prints, in which every warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_optional_companions_are_not_imported() -> None:
    loaded = set(run(WHAT_IS_LOADED))

    assert "flask_activepieces" in loaded
    assert not loaded & NOT_NEEDED


def test_every_module_can_be_the_first_to_be_imported() -> None:
    assert len(MODULES) > 40
    assert run(EACH_ALONE, *MODULES) == []


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is_for(module: str) -> None:
    assert (sys.modules.get(module) or __import__(module, fromlist=["x"])).__doc__
