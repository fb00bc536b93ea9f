"""Every ``flask … activepieces …`` line that a reader may copy is a command with options that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from flask_activepieces.cli import activepieces_cli
from tests.support.documents import PAGES, README, ROOT, shell_lines

CHANGELOG = ROOT / "CHANGELOG.md"
EXAMPLE = ROOT / "example_app" / "README.md"


SHOWN = [
    pytest.param(line, id=f"{path.parent.name}-{path.stem}: {line[:60]}")
    for path in [README, EXAMPLE, CHANGELOG, *PAGES]
    for line in shell_lines(path.read_text("utf-8"))
    if re.match(r"flask (--app \S+ )?activepieces ", line)
]


@pytest.mark.parametrize("line", SHOWN)
def test_the_command_exists_and_takes_these_options(line: str) -> None:
    words = shlex.split(line, comments=True)
    arguments = words[words.index("activepieces") + 1 :]
    command: click.Command = activepieces_cli
    while isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]

    # Parsed as click would, with every value checked, and not run.
    command.make_context(command.name, arguments)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        (parameter.opts[0], parameter.type.min, parameter.type.max)
        for command in activepieces_cli.commands.values()
        for parameter in command.params
        if isinstance(parameter.type, click.IntRange) and parameter.type.max is not None
    ],
)
def test_the_page_tells_between_which_numbers_an_option_is(
    name: str, least: int, most: int
) -> None:
    page = next(path for path in PAGES if path.stem == "cli").read_text("utf-8")

    assert re.search(rf"^\| `{name}` \|.* {least} to {most}\b", page, re.MULTILINE)


@pytest.mark.parametrize("path", [README, *PAGES], ids=lambda path: path.stem)
def test_every_command_in_running_text_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    named = re.findall(r"`flask activepieces((?: [a-z]+)+)[^`]*`", text)

    for words in named:
        command: click.Command = activepieces_cli
        for word in words.split():
            assert isinstance(command, click.Group), words
            command = command.commands[word]
