"""The settings page documents every setting with its actual default and bounds; no page names an unknown setting."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from flask_activepieces import errors
from flask_activepieces.config.settings import PREFIX, Settings, setting_key
from tests.support.documents import PAGES, README, ROOT, cells, headings, page, section

SETTINGS = {PREFIX + setting_key(field): field.name for field in fields(Settings)}
EVERYWHERE = [README, ROOT / "example_app" / "README.md", *PAGES]


def test_every_setting_has_one_section_and_one_line_in_the_table() -> None:
    text = page("configuration")

    assert [name for name in SETTINGS if headings(text).count(name) != 1] == []
    assert [name for name in SETTINGS if text.count(f"\n| [`{name}`](#{name.lower()}) |") != 1] == []


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    named = {
        (path.name, name)
        for path in EVERYWHERE
        for name in re.findall(rf"\b{PREFIX}[A-Z][A-Z_]*\b", path.read_text("utf-8"))
    }

    assert [(page, name) for page, name in named if name not in SETTINGS] == []


def documented_row(setting: str) -> list[str]:
    """The documented type, default and example of a setting."""
    return cells(re.split(r"^\|---.*\n", section(page("configuration"), setting), flags=re.M)[1].splitlines()[0])


def settings_with(setting: str, value: str) -> Settings:
    return Settings.from_app_config({"SECRET_KEY": "a key for this test only", setting: value})


def test_the_documented_default_is_the_actual_one() -> None:
    for setting, field in SETTINGS.items():
        default = getattr(settings_with(setting, ""), field)
        documented = documented_row(setting)[1]
        if isinstance(default, int | str):
            assert f"`{default}`" in documented, setting
        elif default is None:
            assert documented.startswith("none"), setting
        elif not default:
            assert documented == "empty", setting


#: The examples of these settings are not valid keys; the last setting needs a key.
KEYS = {f"ACTIVEPIECES_{name}" for name in ("JWT_KEYS", "SIGNING_KEY", "SIGNING_KEY_ID")}


def test_the_documented_example_is_a_valid_value() -> None:
    for setting in set(SETTINGS) - KEYS:
        settings_with(setting, documented_row(setting)[2].strip("`"))  # its error names the setting


DURATIONS = [setting for setting in SETTINGS if documented_row(setting)[0].endswith("seconds")]


@pytest.mark.parametrize("setting", DURATIONS)
def test_the_documented_bounds_are_the_actual_ones(setting: str) -> None:
    low, high = map(int, re.findall(r"\d+", documented_row(setting)[0]))

    for valid in (low, high):
        assert getattr(settings_with(setting, str(valid)), SETTINGS[setting]) == valid
    for invalid in (low - 1, high + 1):
        with pytest.raises(errors.ConfigError, match=setting):
            settings_with(setting, str(invalid))
