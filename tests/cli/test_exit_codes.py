"""What scripts rely on: 0 done, 1 refused, 2 wrong usage, 3 storage away; errors as one line, never a traceback."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.cli.conftest import Run
from tests.conftest import MakeApp
from tests.support.actors import Program
from tests.support.storage import database_away

#: Every command that needs the database; {id} is a client's.
COMMANDS = [
    "client create --name X --redirect-uri https://a.test/ --scope tasks:read",
    "client list",
    "client show {id}",
    "client rotate {id}",
    "client delete {id} --yes",
    "grants list",
    "grants revoke {id}",
    "grants check",
    "prune",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_storage_away_is_one_line_and_exit_code_3(
    app: Flask, run: Run, program: Program, command: str
) -> None:
    with database_away(app):
        result = run(*command.format(id=program.client_id).split())

    assert result.exit_code == 3
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: The database cannot be reached just now.")


def test_missing_tables_are_one_line_and_exit_code_1(make_app: MakeApp) -> None:
    runner = make_app(tables=False).test_cli_runner()

    for command in COMMANDS:
        result = runner.invoke(args=["activepieces", *command.format(id="0" * 32).split()])

        assert (result.exit_code, result.stdout) == (1, ""), command
        (line,) = result.stderr.splitlines()
        assert "db.create_all()" in line


@pytest.mark.parametrize(
    "words",
    [
        ("client", "create", "--no-such-option"),
        ("client", "create", "--preset", "unknown"),
        ("client", "show"),
        ("client", "nothing"),
        ("grants", "revoke"),
        ("nothing",),
    ],
)
def test_wrong_usage_is_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize("words", [(), ("client",), ("grants",), ("keys",)])
def test_every_group_explains_its_commands(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--help")

    listed = result.stdout.partition("Commands:")[2].strip().splitlines()
    assert result.exit_code == 0
    assert listed
    # A name, and words about it.
    assert all(len(line.split()) > 2 for line in listed), listed
