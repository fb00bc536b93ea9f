"""Every claim on the page with comparisons names a test. `test_docs_pages` checks that the tests exist."""

from __future__ import annotations

import re

from flask_activepieces import signals
from tests.support.documents import cells, page

COMPARED, _, TESTED = page("comparison").partition("## The tests of these claims")


def first_cells(text: str) -> list[str]:
    """The first cell of each row that has values; headings of tables and of groups have none."""
    rows = [cells(line) for line in re.findall(r"^\| .*\|$", text, re.MULTILINE)]
    return [row[0] for row in rows if row[0] and row[0] != "Claim" and any(row[1:])]


def test_every_claim_has_a_test() -> None:
    # What it is, is no claim.
    assert [claim for claim in first_cells(COMPARED) if claim != "What it is"] == first_cells(TESTED)


def test_every_row_of_tests_names_one() -> None:
    rows = [line for line in re.findall(r"^\| .*\|$", TESTED, re.MULTILINE) if not line.startswith("| Claim")]

    assert [row for row in rows if not re.search(r"`test_\w+`", row)] == []


def test_the_page_counts_the_signals() -> None:
    assert f"| {len(signals.BY_NAME)} signals, and a table |" in COMPARED
