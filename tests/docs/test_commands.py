"""Every ``flask … activepieces …`` line in the docs is a valid command with valid options.

This takes a second; test_shell_lines.py runs the lines.
``shop`` is the script on the page about deployment, which runs Flask's command.
"""

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
OF_ACTIVEPIECES = r"(flask( --app \S+)?|shop) activepieces "

COMMAND_LINES = [
    pytest.param(line, id=f"{path.parent.name}-{path.stem}: {line[:60]}")
    for path in [README, EXAMPLE, CHANGELOG, *PAGES]
    for line in shell_lines(path.read_text("utf-8"))
    if re.match(OF_ACTIVEPIECES, line)
]


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_the_command_and_its_options_are_valid(line: str) -> None:
    parts = shlex.split(line, comments=True)
    arguments = parts[parts.index("activepieces") + 1 :]
    command: click.Command = activepieces_cli
    while isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]

    # Parses and validates the arguments as click does, without running the command.
    command.make_context(command.name, arguments)


@pytest.mark.parametrize(
    ("name", "minimum", "maximum"),
    [
        (parameter.opts[0], parameter.type.min, parameter.type.max)
        for command in activepieces_cli.commands.values()
        for parameter in command.params
        if isinstance(parameter.type, click.IntRange) and parameter.type.max is not None
    ],
)
def test_the_page_documents_the_range_of_a_numeric_option(name: str, minimum: int, maximum: int) -> None:
    page = next(path for path in PAGES if path.stem == "cli").read_text("utf-8")

    assert re.search(rf"^\| `{name}` \|.* ({minimum} to|at most) {maximum}\b", page, re.MULTILINE)


@pytest.mark.parametrize("path", [README, *PAGES], ids=lambda path: path.stem)
def test_every_command_in_running_text_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    named = re.findall(r"`flask activepieces((?: [a-z]+)+)[^`]*`", text)

    for command_path in named:
        command: click.Command = activepieces_cli
        for part in command_path.split():
            assert isinstance(command, click.Group), command_path
            command = command.commands[part]
