"""Importing the package costs what it needs and no more."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import flask_activepieces
from tests.support.documents import ROOT

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
}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(flask_activepieces.__path__, "flask_activepieces.")
)

ALL_OF_THEM = """
import importlib, sys
for name in sys.argv[1:]:
    assert importlib.import_module(name).__doc__, f"{name} does not say what it is for"
"""
WHAT_A_START_LOADS = """
import sys
from flask import Flask
from flask_activepieces import Activepieces, FlaskLoginHost
from flask_sqlalchemy import SQLAlchemy
app = Flask("host")
app.config.update(SECRET_KEY="a key for this test only", SQLALCHEMY_DATABASE_URI="sqlite://")
SQLAlchemy(app)
Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
print("\\n".join({name.partition(".")[0] for name in sys.modules}))
"""
WHAT_THE_DEMO_LOADS = """
import sys
import example_app.__main__
print("\\n".join({name.partition(".")[0] for name in sys.modules}))
"""


def run(code: str, *arguments: str) -> list[str]:
    """The lines that a fresh interpreter prints, in which every warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_app_starts_without_optional_companions() -> None:
    loaded = set(run(WHAT_A_START_LOADS))

    assert "flask_activepieces" in loaded
    assert not loaded & NOT_NEEDED


def test_the_demo_starts_with_what_make_demo_installs() -> None:
    loaded = set(run(WHAT_THE_DEMO_LOADS))

    assert {"example_app", "flask_activepieces"} <= loaded
    assert not loaded & NOT_NEEDED


def test_every_module_can_be_imported_and_says_what_it_is_for() -> None:
    """That no order of imports matters follows from their forming no circle: see test_layers.py."""
    assert len(MODULES) > 40
    assert run(ALL_OF_THEM, *reversed(MODULES)) == []


def test_the_benchmarks_can_be_imported() -> None:
    """They use the package's services directly, so a rename there must reach them."""
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))

    assert run(ALL_OF_THEM, *(f"benchmarks.{name}" for name in names)) == []
