"""Copies of this package, from which it can be installed without a trace in the checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

from .documents import ROOT

#: What an installation reads.
FILES = ("pyproject.toml", "README.md", "LICENSE")


def copy_package(target: Path) -> Path:
    """Copy the package and its build configuration there; returns ``target``."""
    target.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, target / name)
    shutil.copytree(
        ROOT / "flask_activepieces", target / "flask_activepieces", ignore=shutil.ignore_patterns("__pycache__")
    )
    return target
