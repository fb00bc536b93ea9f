"""The page on architecture names functions and packages that exist."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest

from tests.meta.test_layers import LAYERS, PACKAGE, ROOT
from tests.support.documents import blocks, code_words, page

NAMES = sorted(
    {
        line.split()[0]
        for block in blocks(page("architecture"), "text")
        for line in block.splitlines()
        if re.match(r"\s*[a-z_]+\.", line)
    }
)


def test_every_function_of_a_sequence_exists() -> None:
    for name in NAMES:
        module, *attributes = _split(name)
        value: Any = import_module(f"{ROOT}.{module}")
        for attribute in attributes:
            value = getattr(value, attribute)


def test_every_row_of_the_layers_is_documented() -> None:
    assert set(LAYERS) <= code_words(page("architecture"))


def _split(name: str) -> list[str]:
    """The module, then each attribute: ``["oauth.tokens.issuer", "TokenIssuer", "issue_pair"]``."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if (PACKAGE.joinpath(*parts[:length])).with_suffix(".py").is_file():
            return [".".join(parts[:length]), *parts[length:]]
    pytest.fail(f"{name} is in no module of the package")
