"""A new user follows the README in a fresh clone: the demo sets itself up, answers, and ends with Ctrl-C."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from tests.support.documents import README, shell_lines
from tests.support.installation import copy_project
from tests.support.terminals import terminals

pytestmark = pytest.mark.long


def test_the_demo_starts_in_a_fresh_clone(tmp_path: Path) -> None:
    (command,) = (line for line in shell_lines(README.read_text("utf-8")) if line == "make demo")
    copy_project(tmp_path / "clone")

    with terminals(tmp_path / "clone", logs=tmp_path) as terminal:
        demo = terminal.starts(f"{command} ARGS='--port 0 --activepieces-port 0'")
        demo.prints("Ctrl-C stops both", seconds=300)
        addresses = re.findall(r"http://127\.0\.0\.1:\d+", demo.output)
        statuses = {address: requests.get(address, timeout=10).status_code for address in addresses}
        demo.interrupt()

    assert len(statuses) == 2
    assert set(statuses.values()) == {200}
    assert "Traceback" not in demo.output
