"""A reader can take in each folder of the package: no folder has many files, and the root has few."""

from __future__ import annotations

from tests.support.documents import ROOT

PACKAGE = ROOT / "flask_activepieces"
FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})


def test_a_folder_has_at_most_fifteen_files() -> None:
    assert [folder for folder in FOLDERS if len(list(folder.glob("*.py"))) > 15] == []


def test_the_root_has_at_most_nine_files() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 9
