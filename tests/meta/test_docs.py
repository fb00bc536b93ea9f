"""The reference pages name everything that there is, and nothing that there is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from flask import Flask
from werkzeug.routing import Rule

import flask_activepieces
from flask_activepieces import errors, signals
from flask_activepieces.audit import Event
from flask_activepieces.cli import activepieces_cli
from flask_activepieces.config import PREFIX, Settings
from flask_activepieces.models import Base
from flask_activepieces.oauth.access_tokens import AccessToken
from tests.support.documents import (
    DOCS,
    PAGES,
    README,
    ROOT,
    blocks,
    code_words,
    headings,
    name_of,
    page,
)

SETTINGS = {PREFIX + field.name.upper(): field.name for field in fields(Settings)}
EVERYWHERE = [README, ROOT / "example_app" / "README.md", *PAGES]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def section(text: str, heading: str) -> str:
    """What stands between this heading and the next of any level."""
    _, found, rest = text.partition(f"\n## `{heading}`\n")
    assert found, f"there is no heading {heading}"
    return re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]


# --- Settings -------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("setting", sorted(set(SETTINGS) - {"ACTIVEPIECES_JWT_KEYS"}))
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


# --- Routes ---------------------------------------------------------------------------------------


def our_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("activepieces.")]


def routes_told() -> dict[tuple[str, str], set[str]]:
    """The methods of each address and endpoint in the tables."""
    told: dict[tuple[str, str], set[str]] = {}
    row_of_route = re.compile(r"\| ([A-Z, ]+) `(/[^`]*)` \| `(\w+)` \|")
    for methods, address, endpoint in row_of_route.findall(page("routes")):
        told.setdefault((address, f"activepieces.{endpoint}"), set()).update(methods.split(", "))
    return told


def test_every_route_is_told_with_its_methods_and_no_other_is(app: Flask) -> None:
    programs_post = {"activepieces.token", "activepieces.revoke", "activepieces.introspect"}
    there: dict[tuple[str, str], set[str]] = {}
    for rule in our_rules(app):
        # The three endpoints for programs take other methods only to refuse them in their own words.
        methods = {"POST"} if rule.endpoint in programs_post else set(rule.methods or ())
        there.setdefault((rule.rule, rule.endpoint), set()).update(methods - {"HEAD", "OPTIONS"})

    assert routes_told() == there


# --- Command line ---------------------------------------------------------------------------------


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(commands(activepieces_cli, "flask activepieces"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_section_with_its_options_and_no_others(path: str) -> None:
    told = code_words(section(page("cli"), path))
    there = {
        name
        for parameter in COMMANDS[path].params
        for name in (
            [parameter.human_readable_name]
            if isinstance(parameter, click.Argument)
            else [*parameter.opts, *parameter.secondary_opts]
        )
    }

    assert {word for word in told if word.startswith("--") or word.isupper()} == there


def test_no_command_is_told_that_does_not_exist() -> None:
    told = {heading for heading in headings(page("cli")) if heading.startswith("flask ")}

    assert told == set(COMMANDS)


# --- Signals --------------------------------------------------------------------------------------


def test_every_signal_is_told_with_its_event_and_no_other_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", page("signals"), re.MULTILINE)
    there = {
        name: value.name
        for name, value in vars(signals).items()
        if value in signals.BY_NAME.values()
    }

    assert dict(rows) == there


def test_every_field_of_an_event_is_told() -> None:
    assert {field.name for field in fields(Event)} <= code_words(page("signals"))


# --- Errors ---------------------------------------------------------------------------------------

EXCEPTIONS = [
    name
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, Exception)
]

#: What the code can say as an error, wherever it says it: ``error = "…"``, ``error="…"`` and our own helpers.
_ERROR_WORD = re.compile(
    r"""\b(?:error(?:\s*=|=)\s*|_error\(\s*\d+,\s*|error_response\(\s*\d+,\s*)"([a-z_]+)\""""
)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_told(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", page("errors"), re.MULTILINE)


def test_every_error_word_in_our_code_is_told() -> None:
    package = Path(flask_activepieces.__path__[0])
    written = {
        word
        for path in package.rglob("*.py")
        for word in _ERROR_WORD.findall(path.read_text("utf-8"))
    }
    from_authlib = {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "access_denied",
    }
    told = " ".join(code_words(page("errors")))

    assert written, "the pattern finds nothing any more"
    assert {word for word in written | from_authlib if word not in told} == set()


# --- Python names ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", flask_activepieces.__all__)
def test_every_public_name_is_told(name: str) -> None:
    (imports,) = blocks(page("api"), "python")

    assert f"    {name}," in imports
    assert f"flask_activepieces.{name}" in page("api")


def test_every_attribute_of_the_current_token_is_told() -> None:
    attributes = {field.name for field in fields(AccessToken)}
    attributes |= {name for name, value in vars(AccessToken).items() if isinstance(value, property)}

    assert attributes <= code_words(page("protecting-views"))


# --- Tables, templates, files, tests --------------------------------------------------------------


def test_every_table_is_told() -> None:
    assert {table.name for table in Base.metadata.sorted_tables} <= code_words(page("operations"))


TEMPLATES = Path(flask_activepieces.__path__[0]) / "templates" / "flask_activepieces"


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("[a-z]*.html")), ids=name_of)
def test_every_block_of_a_template_is_told_and_no_other_is(template: Path) -> None:
    defined = set(re.findall(r"{%-? block (\w+)", template.read_text("utf-8")))
    if template.stem != "base":
        defined -= {"title", "head", "header", "page_class", "content", "footer"}
    (row,) = re.findall(rf"^\| `{template.name}` \|.*$", page("consent"), re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", cells(row)[2])) == defined


FILES_NAMED = sorted(
    {
        (path.stem, word)
        for path in PAGES
        for word in code_words(path.read_text("utf-8"))
        if re.fullmatch(r"[a-z_/]+\.py", word) and word != "app.py"
    }
)


@pytest.mark.parametrize(("name", "file"), FILES_NAMED)
def test_every_file_that_a_page_names_is_there(name: str, file: str) -> None:
    folders = [ROOT, ROOT / "flask_activepieces", ROOT / "tests"]

    assert any((folder / file).is_file() for folder in folders)


def test_every_test_that_a_page_names_is_there() -> None:
    named = {word for path in PAGES for word in re.findall(r"\btest_\w+", path.read_text("utf-8"))}
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in [
            path.stem,
            *re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE),
        ]
    }

    assert named <= there


# --- Pages ----------------------------------------------------------------------------------------


def test_every_page_is_in_the_table_of_contents() -> None:
    listed: list[str] = []
    for block in blocks(page("index"), "{toctree}"):
        listed += [line for line in block.splitlines() if line and not line.startswith(":")]

    assert sorted([*listed, "index"]) == [path.stem for path in PAGES]


@pytest.mark.parametrize("path", [README, *PAGES], ids=name_of)
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    """Sphinx checks links between pages; GitHub shows the README and the pages as they are."""
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))

    assert [target for target in targets if not (path.parent / target).is_file()] == []


def test_the_pages_are_where_sphinx_looks() -> None:
    assert DOCS / "index.md" in PAGES
