"""Importing the package loads only what it needs."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import flask_activepieces
from tests.support.documents import ROOT

#: Optional dependencies and test tools.
OPTIONAL = {
    "flask_babel",
    "flask_limiter",
    "flask_migrate",
    "flask_wtf",
    "limits",
    "psycopg",
    "pymysql",
    "pytest",
    "redis",
}
MODULES = sorted(module.name for module in pkgutil.walk_packages(flask_activepieces.__path__, "flask_activepieces."))

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    assert importlib.import_module(name).__doc__, f"{name} has no docstring"
"""
START_APP = """
import sys
from flask import Flask
from flask_activepieces import Activepieces, FlaskLoginHost
from flask_sqlalchemy import SQLAlchemy
app = Flask("host")
app.config.update(SECRET_KEY="a key for this test only", SQLALCHEMY_DATABASE_URI="sqlite://")
SQLAlchemy(app)
Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
# What `make demo` installs is enough for the demo too.
import example_app.__main__
print("\\n".join({name.partition(".")[0] for name in sys.modules}))
"""


def run(code: str, *arguments: str) -> list[str]:
    """Run code in a new interpreter with warnings as errors; return the lines that it prints."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_an_app_and_the_demo_start_without_optional_dependencies() -> None:
    loaded = set(run(START_APP))

    assert {"example_app", "flask_activepieces"} <= loaded
    assert not loaded & OPTIONAL


def test_every_module_can_be_imported_and_has_a_docstring() -> None:
    """The import order does not matter, because there are no cycles: see test_layers.py.

    The benchmarks use the package's services directly, so they must follow every rename.
    """
    benchmarks = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    assert len(MODULES) > 40
    assert run(IMPORT_ALL, *reversed(MODULES), *(f"benchmarks.{name}" for name in benchmarks)) == []
