"""Each file of the package is installed with it. tests/docs/test_first_piece.py builds a wheel and looks."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.documents import ROOT

PACKAGE = ROOT / "flask_activepieces"
DATA_FILES = sorted(
    path.relative_to(PACKAGE)
    for path in PACKAGE.rglob("*")
    if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
)


def installed() -> set[Path]:
    """The files that the patterns of pyproject.toml match, as setuptools reads them."""
    # Python 3.10 has no tomllib.
    (listed,) = re.findall(r"^flask_activepieces = \[(.*)\]$", (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    patterns = re.findall(r'"([^"]+)"', listed)
    return {path.relative_to(PACKAGE) for pattern in patterns for path in PACKAGE.glob(pattern)}


def test_a_file_that_is_not_python_is_package_data() -> None:
    assert set(DATA_FILES) - installed() == set()


FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})


def test_a_folder_with_python_is_a_package() -> None:
    assert [folder for folder in FOLDERS if not (folder / "__init__.py").is_file()] == []
