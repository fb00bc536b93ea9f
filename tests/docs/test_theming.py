"""The colours of our pages, default and as changed in the docs, meet WCAG 2.2 AA in both colour schemes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLES = (ROOT / "flask_activepieces/static/activepieces.css").read_text()
(SNIPPET,) = re.findall(r"```css\n(.*?)```", (ROOT / "docs/theming.md").read_text(), re.DOTALL)
DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}", re.DOTALL)

#: Foreground, background, and minimum contrast: text 4.5 (1.4.3), borders and focus 3 (1.4.11).
PAIRS = [
    *(
        (foreground, background, 4.5)
        for foreground in ("text", "muted", "accent", "accent-strong", "danger", "good", "wait")
        for background in ("surface", "backdrop")
    ),
    *((foreground, "accent-soft", 4.5) for foreground in ("text", "muted")),
    *(("on-accent", background, 4.5) for background in ("accent", "accent-strong")),
    ("danger", "danger-soft", 4.5),
    ("good", "good-soft", 4.5),
    ("wait", "wait-soft", 4.5),
    *(("text", soft, 4.5) for soft in ("good-soft", "danger-soft", "wait-soft")),
    ("accent", "accent-soft", 4.5),
    ("control-line", "surface", 3),
]


def colours(*sheets: str, dark: bool) -> dict[str, str]:
    """The custom properties in effect after these style sheets, in order."""
    properties: dict[str, str] = {}
    for sheet in sheets:
        blocks = [re.search(r":root \{(.*?)\}", DARK.sub("", sheet), re.DOTALL)]
        if dark:
            blocks.append(DARK.search(sheet))
        for block in blocks:
            if block is not None:
                properties |= re.findall(r"--ap-([a-z-]+):\s*(#[0-9a-f]{6});", block[1])
    return properties


def luminance(colour: str) -> float:
    """WCAG 2.2: relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("sheets", [(STYLES,), (STYLES, SNIPPET)], ids=["ours", "docs example"])
def test_every_colour_has_enough_contrast(sheets: tuple[str, ...], dark: bool) -> None:
    palette = colours(*sheets, dark=dark)

    insufficient = {
        f"{foreground} on {background}": round(contrast(palette[foreground], palette[background]), 2)
        for foreground, background, minimum in PAIRS
        if contrast(palette[foreground], palette[background]) < minimum
    }

    assert insufficient == {}


def test_the_docs_example_changes_the_accent_in_both_schemes() -> None:
    for dark in (False, True):
        default, changed = colours(STYLES, dark=dark), colours(STYLES, SNIPPET, dark=dark)
        assert default["accent"] != changed["accent"]


def test_contrast_is_computed_as_in_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
