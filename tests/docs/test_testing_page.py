"""The example tests on the page about testing pass in a new project."""

from __future__ import annotations

import re

import pytest

from tests.support.documents import blocks, page

pytest_plugins = ["pytester"]


def test_the_tests_on_the_page_pass(pytester: pytest.Pytester) -> None:
    code = "\n".join(blocks(page("testing"), "python"))
    pytester.makepyfile(test_shop=code)

    without = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
    result = pytester.runpytest_subprocess("-q", "-W", "error", *without)

    result.assert_outcomes(passed=len(re.findall(r"^def test_", code, re.MULTILINE)))
