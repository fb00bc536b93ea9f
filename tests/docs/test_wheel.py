"""The README and the pages work for a reader: from an empty folder, with the wheel that the README builds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.documents import PAGES, README, ROOT, blocks, name_of
from tests.support.installation import Reader

pytestmark = pytest.mark.long

RUNNER = ["__init__", "documents", "page_runner"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that contains only what runs the blocks of a page."""
    support = tmp_path / "tests" / "support"
    support.mkdir(parents=True)
    for name in RUNNER:
        shutil.copy(ROOT / "tests" / "support" / f"{name}.py", support)
    return tmp_path


def test_the_wheel_is_used_and_not_the_checkout(reader: Reader, folder: Path) -> None:
    path = reader.run("python", "-c", "import flask_activepieces; print(flask_activepieces.__file__)", folder=folder)

    assert path.startswith(str(reader.environment))


@pytest.mark.parametrize(
    "path", [path for path in [README, *PAGES] if blocks(path.read_text("utf-8"), "python")], ids=name_of
)
def test_the_python_blocks_run(path: Path, reader: Reader, folder: Path) -> None:
    reader.run("python", "-W", "error", "-m", "tests.support.page_runner", path, folder=folder)
