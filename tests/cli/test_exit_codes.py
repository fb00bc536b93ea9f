"""Exit codes for scripts: 0 done, 1 rejected, 2 wrong usage, 3 no database. An error is one line, not a traceback.

With --json, a failure is one JSON document on standard output, with the same exit code and lines.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.cli.conftest import Run
from tests.conftest import MakeApp
from tests.support.actors import Program
from tests.support.documents import ROOT, blocks, page
from tests.support.hosts import SECRET_KEY
from tests.support.storage import database_away

#: Every command that needs the database; {id} is the id of a client.
COMMANDS = [
    "client create --name X --redirect-uri https://a.test/ --scope tasks:read",
    "client list",
    "client show {id}",
    "client update {id} --name X",
    "client rotate {id}",
    "client delete {id} --yes",
    "grants list",
    "grants revoke {id}",
    "grants check",
    "prune",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unreachable_database_is_one_line_and_exit_code_3(
    app: Flask, run: Run, program: Program, command: str
) -> None:
    with database_away(app):
        result = run(*command.format(id=program.client_id).split())

    assert result.exit_code == 3
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: The database is currently unavailable.")


def test_missing_tables_are_one_line_and_exit_code_1(make_app: MakeApp) -> None:
    runner = make_app(tables=False).test_cli_runner()

    for command in COMMANDS:
        result = runner.invoke(args=["activepieces", *command.format(id="0" * 32).split()])

        assert (result.exit_code, result.stdout) == (1, ""), command
        (line,) = result.stderr.splitlines()
        assert "db.create_all()" in line


def test_an_invalid_setting_is_named_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(blocks(page("quickstart"), "python")[0], encoding="utf-8")
    environ = {"PYTHONPATH": str(ROOT), "FLASK_SECRET_KEY": SECRET_KEY, "FLASK_ACTIVEPIECES_BASE_URL": "nowhere"}
    command = [sys.executable, "-m", "flask", "--app", "app", "activepieces", "prune"]

    result = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: Invalid flask-activepieces configuration:",
        "  - ACTIVEPIECES_BASE_URL: must be an absolute URL such as https://activepieces.example.com",
    ]


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
    # A name and a description.
    assert all(len(line.split()) > 2 for line in listed), listed


# Failures as JSON

WITH_JSON = [
    "client create --name X --redirect-uri https://a.test/ --scope tasks:read",
    "client list",
    "client show {id}",
    "client update {id} --name X",
    "client rotate {id}",
    "grants list",
    "integrations list",
    "prune",
]
UNKNOWN_ID = "0" * 32


def failure(result: Result) -> dict[str, Any]:
    """The error in the printed JSON; standard error has the same lines."""
    (name, error), *others = json.loads(result.stdout).items()
    assert (name, others) == ("error", [])
    return dict(error)


@pytest.mark.parametrize("command", WITH_JSON)
def test_with_json_an_unreachable_database_is_a_document_and_exit_code_3(
    app: Flask, run: Run, program: Program, command: str
) -> None:
    with database_away(app):
        result = run(*command.format(id=program.client_id).split(), "--json")

    assert result.exit_code == 3
    error = failure(result)
    assert error["code"] == "not_available"
    assert result.stderr == f"Error: {error['detail']}\n"


def test_with_json_missing_tables_are_a_document_and_exit_code_1(make_app: MakeApp) -> None:
    runner = make_app(tables=False).test_cli_runner()

    for command in WITH_JSON:
        words = [*command.format(id=UNKNOWN_ID).split(), "--json"]
        result = runner.invoke(args=["activepieces", *words])

        assert (result.exit_code, failure(result)["code"]) == (1, "not_set_up"), command


@pytest.mark.parametrize("command", ["show", "update --name X", "rotate"])
def test_with_json_an_unknown_client_is_a_document(run: Run, command: str) -> None:
    result = run("client", *command.split(), UNKNOWN_ID, "--json")

    assert result.exit_code == 1
    assert failure(result) == {"code": "not_found", "detail": f"OAuth client '{UNKNOWN_ID}' not found."}


def test_with_json_the_document_contains_the_invalid_fields(run: Run) -> None:
    result = run("client", "create", "--name", "X", "--redirect-uri", "nowhere", "--json")

    error = failure(result)
    assert (result.exit_code, error["code"]) == (1, "invalid_input")
    assert error["fields"].keys() == {"redirect_uris", "scope"}
    assert len(result.stderr.splitlines()) == 2


def test_with_json_no_one_is_asked(run: Run) -> None:
    words = ("--name", "X", "--redirect-uri", "https://a.test/", "--scope", "tasks:read")

    result = run("client", "create", *words, "--tenant", "acem", "--json", input="y\n")

    assert (result.exit_code, failure(result)["code"]) == (1, "not_confirmed")


@pytest.mark.parametrize(
    "command", ["client create --no-such-option", "client create --preset x", "client show", "client nothing"]
)
def test_with_json_wrong_usage_is_a_document_and_exit_code_2(run: Run, command: str) -> None:
    result = run(*command.split(), "--json")

    assert result.exit_code == 2
    error = failure(result)
    assert error["code"] == "usage"
    assert error["detail"] in result.stderr
