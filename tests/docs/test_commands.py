"""Every ``flask … activepieces …`` line in the docs is a valid command with valid options.

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


#: Shell lines that other tests check, by the test.
CHECKED_BY = {
    "test_make_targets": r"make [a-z-]+|(\S+/)?pip install |python3? -m [a-z_.]+",
    "test_wheel": r"pip wheel |python -c |export \w+=|flask --app app run$|curl ",
    "test_consent": r"pybabel ",
    "test_existing_app": r"flask --app shop db ",
    "test_mcp_page": r"export FLASK_SECRET_KEY=|flask --app agents run$|curl -i -X POST ",
    "test_first_piece": r"echo |mkdir |\. \S+/activate|\. \S*env\.sh|FLASK_\w+=\S+ flask |flask run$|pytest$",
    "test_piece_publishing": r"npm publish ",
    "test_upgrading": r"flask --app app db ",
    "test_deploy": r"set -a;|cd /srv/shop |shop db |nginx -t ",
}
#: The usual commands of a machine, of a shell, and of an app.
FAMILIAR = r"#|adduser |apt-get install |sudo -u postgres |systemctl |flask --app shop routes |\.venv/bin/flask "


@pytest.mark.parametrize("path", [README, EXAMPLE, *PAGES], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_shell_line_is_checked_or_familiar(path: Path) -> None:
    # An indented line continues a string of the line before.
    known = re.compile("|".join([r"$|\s", OF_ACTIVEPIECES, FAMILIAR, *CHECKED_BY.values()]))

    assert [line for line in shell_lines(path.read_text("utf-8")) if not known.match(line)] == []


@pytest.mark.parametrize("test", CHECKED_BY)
def test_the_tests_of_shell_lines_exist(test: str) -> None:
    assert (Path(__file__).parent / f"{test}.py").is_file()


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
