"""The example tests on the page about testing pass in a new project."""

from __future__ import annotations

import re

import pytest

from tests.support.documents import blocks, file_name, files, page

pytest_plugins = ["pytester"]

TESTING = page("testing")
APP, TESTS = files(TESTING)["shop.py"], files(TESTING)["test_shop.py"]
#: These use the fixtures of the complete file.
OTHERS = [block for block in blocks(TESTING, "python") if file_name(block) is None]


def test_the_complete_file_has_at_most_20_lines_of_code() -> None:
    lines = [line for line in TESTS.splitlines() if line.strip() and not line.startswith("#")]

    assert len(lines) <= 20


@pytest.mark.parametrize(
    "others",
    [pytest.param([], id="the complete file"), pytest.param(OTHERS, marks=pytest.mark.long, id="the whole page")],
)
def test_the_tests_on_the_page_pass(pytester: pytest.Pytester, others: list[str]) -> None:
    code = "\n".join([TESTS, *others])
    pytester.makepyfile(shop=APP, test_shop=code)

    without = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
    result = pytester.runpytest_subprocess("-q", "-W", "error", *without)

    result.assert_outcomes(passed=len(re.findall(r"^def test_", code, re.MULTILINE)))
