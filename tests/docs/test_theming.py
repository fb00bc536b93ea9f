"""The colors of our pages, default and as changed in the docs, meet WCAG 2.2 AA in both color schemes."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from flask_activepieces.config.settings import Settings
from flask_activepieces.web.pages.brand import brand_rules
from flask_activepieces.web.pages.palette import DARK, LIGHT, Scheme, contrast_ratio

ROOT = Path(__file__).parents[2]
STYLES = (ROOT / "flask_activepieces/static/activepieces.css").read_text()
(SNIPPET,) = re.findall(r"```css\n(.*?)```", (ROOT / "docs/theming.md").read_text(), re.DOTALL)
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


#: ``--ap-accent: light-dark(#3550c8, #9db1ff);``
PROPERTY = re.compile(r"--ap-([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")


def colours(*sheets: str, dark: bool) -> dict[str, str]:
    """The custom properties in effect after these style sheets, in order."""
    return {
        name: in_dark if dark else in_light for sheet in sheets for name, in_light, in_dark in PROPERTY.findall(sheet)
    }


def settings(**config: str) -> Settings:
    own = {f"ACTIVEPIECES_{name}": value for name, value in config.items()}
    return Settings.from_app_config({"SECRET_KEY": "a secret key that is long enough", **own})


def insufficient(palette: dict[str, str]) -> dict[str, float]:
    """The pairs without enough contrast."""
    return {
        f"{foreground} on {background}": round(contrast_ratio(palette[foreground], palette[background]), 2)
        for foreground, background, minimum in PAIRS
        if contrast_ratio(palette[foreground], palette[background]) < minimum
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("sheets", [(STYLES,), (STYLES, SNIPPET)], ids=["ours", "docs example"])
def test_every_colour_has_enough_contrast(sheets: tuple[str, ...], dark: bool) -> None:
    assert insufficient(colours(*sheets, dark=dark)) == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_accent_in_the_settings_becomes_readable(dark: bool) -> None:
    accents = [f"#{r}{g}{b}" for r, g, b in product(("00", "55", "aa", "ff"), repeat=3)]

    rules = {accent: brand_rules(settings(ACCENT=accent)) for accent in accents}

    unreadable = {accent: insufficient(colours(STYLES, rules[accent], dark=dark)) for accent in accents}
    assert {accent: pairs for accent, pairs in unreadable.items() if pairs} == {}


def test_a_readable_accent_stays_as_it_is() -> None:
    rules = brand_rules(settings(ACCENT="#7a3e9d", ACCENT_DARK="#d3a6f0"))

    assert colours(rules, dark=False)["accent"] == "#7a3e9d"
    assert colours(rules, dark=True)["accent"] == "#d3a6f0"


@pytest.mark.parametrize(("dark", "scheme"), [(False, LIGHT), (True, DARK)], ids=["light", "dark"])
def test_the_palette_is_made_for_the_backgrounds_of_the_style_sheet(dark: bool, scheme: Scheme) -> None:
    ours = colours(STYLES, dark=dark)

    assert (ours["surface"], ours["backdrop"]) == (scheme.surface, scheme.backdrop)


def test_the_docs_example_changes_the_accent_in_both_schemes() -> None:
    for dark in (False, True):
        default, changed = colours(STYLES, dark=dark), colours(STYLES, SNIPPET, dark=dark)
        assert default["accent"] != changed["accent"]


def test_contrast_is_computed_as_in_wcag() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
