"""The page of settings names every setting, with its true default and bounds, and no page names another."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from flask_activepieces import errors
from flask_activepieces.config.settings import PREFIX, Settings
from tests.support.documents import PAGES, README, ROOT, cells, headings, page, section

SETTINGS = {PREFIX + field.name.upper(): field.name for field in fields(Settings)}
EVERYWHERE = [README, ROOT / "example_app" / "README.md", *PAGES]


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_has_a_section_and_a_line_in_the_table(setting: str) -> None:
    assert setting in headings(page("configuration"))
    assert f"[`{setting}`](#{setting.lower()})" in page("configuration")


@pytest.mark.parametrize("path", EVERYWHERE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_page_names_a_setting_that_does_not_exist(path: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z][A-Z_]*\b", path.read_text("utf-8")))

    assert named <= set(SETTINGS)


def told_of(setting: str) -> list[str]:
    """Type, default and example of a setting."""
    return cells(
        re.split(r"^\|---.*\n", section(page("configuration"), setting), flags=re.M)[
            1
        ].splitlines()[0]
    )


def settings_with(setting: str, value: str) -> Settings:
    return Settings.from_app_config({"SECRET_KEY": "a key for this test only", setting: value})


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_default_that_is_told_is_the_default(setting: str) -> None:
    default = getattr(settings_with(setting, ""), SETTINGS[setting])
    told = told_of(setting)[1]

    if isinstance(default, int | str):
        assert f"`{default}`" in told
    elif default is None:
        assert told.startswith("none")
    elif not default:
        assert told == "empty"


#: Their examples show the form and are no keys; the last one goes with a key.
KEYS = {f"ACTIVEPIECES_{name}" for name in ("JWT_KEYS", "SIGNING_KEY", "SIGNING_KEY_ID")}


@pytest.mark.parametrize("setting", sorted(set(SETTINGS) - KEYS))
def test_the_example_of_a_setting_is_a_good_value(setting: str) -> None:
    settings_with(setting, told_of(setting)[2].strip("`"))


TIMES = [setting for setting in SETTINGS if told_of(setting)[0].endswith("seconds")]


@pytest.mark.parametrize("setting", TIMES)
def test_the_bounds_that_are_told_are_the_bounds(setting: str) -> None:
    low, high = map(int, re.findall(r"\d+", told_of(setting)[0]))

    for good in (low, high):
        assert getattr(settings_with(setting, str(good)), SETTINGS[setting]) == good
    for bad in (low - 1, high + 1):
        with pytest.raises(errors.ConfigError, match=setting):
            settings_with(setting, str(bad))
