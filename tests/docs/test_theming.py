"""The colours of our pages, as they come and as the docs change them: WCAG 2.2 AA in both schemes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLES = (ROOT / "flask_activepieces/static/activepieces.css").read_text()
(SNIPPET,) = re.findall(r"```css\n(.*?)```", (ROOT / "docs/consent.md").read_text(), re.DOTALL)
DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}", re.DOTALL)

#: Foreground, background, and how far apart they must be: text 4.5 (1.4.3), borders and focus 3 (1.4.11).
PAIRS = [
    *(
        (text, ground, 4.5)
        for text in ("text", "muted", "accent", "accent-strong", "danger")
        for ground in ("surface", "backdrop")
    ),
    *((text, "accent-soft", 4.5) for text in ("text", "muted")),
    *(("on-accent", ground, 4.5) for ground in ("accent", "accent-strong")),
    ("danger", "danger-soft", 4.5),
    ("good", "good-soft", 4.5),
    ("control-line", "surface", 3),
]


def colours(*sheets: str, dark: bool) -> dict[str, str]:
    """The custom properties that hold once these style sheets were read one after the other."""
    found: dict[str, str] = {}
    for sheet in sheets:
        blocks = [re.search(r":root \{(.*?)\}", DARK.sub("", sheet), re.DOTALL)]
        if dark:
            blocks.append(DARK.search(sheet))
        for block in blocks:
            if block is not None:
                found |= re.findall(r"--ap-([a-z-]+):\s*(#[0-9a-f]{6});", block[1])
    return found


def luminance(colour: str) -> float:
    """WCAG 2.2: relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("sheets", [(STYLES,), (STYLES, SNIPPET)], ids=["ours", "of the docs"])
def test_every_colour_can_be_told_from_its_ground(sheets: tuple[str, ...], dark: bool) -> None:
    used = colours(*sheets, dark=dark)

    too_close = {
        f"{front} on {ground}": round(contrast(used[front], used[ground]), 2)
        for front, ground, least in PAIRS
        if contrast(used[front], used[ground]) < least
    }

    assert too_close == {}


def test_the_snippet_of_the_docs_changes_the_accent_in_both_schemes() -> None:
    for dark in (False, True):
        ours, theirs = colours(STYLES, dark=dark), colours(STYLES, SNIPPET, dark=dark)
        assert ours["accent"] != theirs["accent"]


def test_black_on_white_is_as_far_apart_as_can_be() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
