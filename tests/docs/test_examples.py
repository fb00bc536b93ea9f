"""Every Python block of the README and of the pages runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.conftest import RunPage
from tests.support.documents import PAGES, README, blocks, name_of

WITH_PYTHON = [path for path in [README, *PAGES] if blocks(path.read_text("utf-8"), "python")]


@pytest.mark.parametrize("path", WITH_PYTHON, ids=name_of)
def test_python_blocks_run_in_order(path: Path, run_page: RunPage) -> None:
    run_page(path)
