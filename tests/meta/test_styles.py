"""Our style sheets use logical properties only, so that right-to-left pages need no rules of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import ROOT

SHEETS = [*(ROOT / "flask_activepieces").rglob("*.css"), *(ROOT / "example_app").rglob("*.css")]
#: ``margin-left``, ``border-top-left-radius``, ``left`` and ``width``: they have logical counterparts.
PHYSICAL_PROPERTY = re.compile(r"(.*-)?(left|right|top|bottom)(-.*)?|(min-|max-)?(width|height)")
#: Properties whose value may name a side.
SIDES = ("text-align", "float", "clear", "caption-side")
#: Shorthands whose second and fourth value are right and left.
BOXES = (
    "margin",
    "padding",
    "inset",
    "border-width",
    "border-style",
    "border-color",
    "scroll-margin",
    "scroll-padding",
)


def rules(sheet: str) -> Iterator[dict[str, str]]:
    """The declarations of each rule."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    for block in re.findall(r"\{([^{}]*)\}", sheet):
        pairs = [declaration.partition(":") for declaration in block.split(";") if ":" in declaration]
        yield {name.strip(): value.strip() for name, _, value in pairs}


def is_physical(name: str, value: str) -> bool:
    """Whether the declaration means left or right, where a logical one would mirror itself."""
    if PHYSICAL_PROPERTY.fullmatch(name):
        return True
    if name in SIDES:
        return any(side in value.split() for side in ("left", "right"))
    values = value.split()
    return name in BOXES and len(values) == 4 and values[1] != values[3]


def physical(sheet: str) -> list[str]:
    """The declarations that would not mirror themselves."""
    return [
        f"{name}: {value}"
        for rule in rules(sheet)
        for name, value in rule.items()
        # A tick is drawn as the corner of a box that is rotated, and is the same in both directions.
        if is_physical(name, value) and not (name == "border-width" and "rotate" in rule)
    ]


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_style_sheet_has_logical_properties_only(path: Path) -> None:
    assert physical(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "rule",
    [
        "a { margin-left: 1rem }",
        "a { color: red; padding-right: 1rem; }",
        "a { border-top-left-radius: 4px }",
        "@media (min-width: 40rem) { a { left: 0 } }",
        "a { text-align: right }",
        "a { float: left }",
        "a { padding: 0 1rem 0 0 }",
        "a { max-width: 10rem }",
    ],
)
def test_a_physical_property_is_found(rule: str) -> None:
    assert len(physical(rule)) == 1


@pytest.mark.parametrize(
    "rule",
    ["a { margin-inline-start: 1rem; text-align: start }", "@media (min-width: 1rem) { a { padding: 0 1rem } }"],
)
def test_a_logical_property_is_none(rule: str) -> None:
    assert physical(rule) == []
