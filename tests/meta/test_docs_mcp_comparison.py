"""Each line of the comparison with other MCP servers names a test that exists, and how we know the other entries."""

from __future__ import annotations

import re

import pytest

from tests.support.documents import ROOT, cells, code_words, page

LINES = [cells(line) for line in page("mcp-comparison").splitlines() if line.startswith("| ")][1:]
PROVEN = [row for row in LINES if any(row[1:])]


def test_every_line_has_six_columns() -> None:
    assert len(PROVEN) > 20
    assert {len(row) for row in LINES} == {6}


@pytest.mark.parametrize("row", PROVEN, ids=lambda row: str(row[0])[:40])
def test_a_line_says_whether_the_others_were_run_or_read(row: list[str]) -> None:
    assert row[2] and row[3]
    assert re.fullmatch("(run|read), (run|read)", row[4])


@pytest.mark.parametrize("row", PROVEN, ids=lambda row: str(row[0])[:40])
def test_the_test_of_a_line_exists(row: list[str]) -> None:
    words = code_words(row[5])
    (file,) = [word for word in words if word.endswith(".py")]
    (name,) = [word for word in words if word.startswith("test_")]

    assert f"def {name}(" in (ROOT / "tests" / file).read_text("utf-8")
