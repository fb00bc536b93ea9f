"""``make demo``: Tasklane and a small Activepieces, linked; what the terminal tells to try works."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
import requests

from example_app import create_app, demo
from example_app.__main__ import main
from example_app.check.browser import Browser
from example_app.demo import running_demo
from example_app.models import db
from flask_activepieces.errors import SetupError


def commands_in(text: str) -> list[list[str]]:
    """The words of each curl that the text tells to type."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.strip().startswith("curl ")]


def sent_by(command: list[str]) -> requests.Response:
    """What the first curl does: it posts JSON."""
    body = command[command.index("-d") + 1]
    return requests.post(command[1], body, headers={"Content-Type": "application/json"}, timeout=9)


def test_the_flow_adds_a_task_also_after_another_start(tmp_path: Path) -> None:
    with running_demo(tmp_path) as told:
        first = commands_in(told)[0]
        assert sent_by(first).json()["task"]["title"] == "Made by a flow"

    with running_demo(tmp_path) as told:
        again = commands_in(told)[0]
        assert sent_by(again).status_code == 201
    assert again[1].split("/")[-2:] == first[1].split("/")[-2:]


def test_the_admin_of_the_stand_in_signs_in_with_the_password_that_is_told(tmp_path: Path) -> None:
    """It is another one at each start."""
    with running_demo(tmp_path) as told:
        (email, password) = re.findall(r"admin is (\S+) with the password (\S+)$", told, re.M)[0]
        url = commands_in(told)[0][1].partition("/webhooks/")[0]
        login = {"email": email, "password": password}
        answer = requests.post(f"{url}/authentication/sign-in", json=login, timeout=9)

    assert answer.status_code == 200


def test_the_other_company_can_be_linked_with_the_key_that_is_told(tmp_path: Path) -> None:
    with running_demo(tmp_path) as told:
        (key,) = re.findall(r"^ +(sk-\w+)$", told, re.MULTILINE)
        (url,) = re.findall(r"Tasks +(http://\S+)/$", told, re.MULTILINE)
        gwen = Browser(url)
        gwen.send("/login", "/login", email="admin@globex.test", password="demo")

        page = gwen.send("/automation", "/automation/link", api_key=key)
        gwen.close()

    assert "No connection yet" in page.text
    assert key not in page.text


def test_the_commands_that_are_suggested_act_on_the_database_of_the_demo(tmp_path: Path) -> None:
    with running_demo(tmp_path) as told:
        lines = [
            line.split("flask --app ")[1] for line in told.splitlines() if "flask --app" in line
        ]
        results = []
        for module, _, *words in map(str.split, lines):
            # As ``flask --app`` does: it calls what the module calls create_app.
            app = importlib.import_module(module).create_app(tmp_path)
            results.append(app.test_cli_runner().invoke(args=["activepieces", *words, "--json"]))
            with app.app_context():
                db.engine.dispose()

    assert [result.exit_code for result in results] == [0, 0], results
    (grant,) = json.loads(results[0].stdout)
    assert (grant["tenant_id"], grant["scope"]) == ("acme", "profile:read tasks:read tasks:write")


def test_a_command_before_the_first_demo_says_what_to_do_first(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="run `make demo` once"):
        demo.create_app(tmp_path)


def test_a_port_that_is_taken_is_named_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        words = ["example_app", "--demo", "--activepieces-port", port]
        monkeypatch.setattr(sys, "argv", words)

        assert main() == 1

    assert f"Port {port}" in (told := capsys.readouterr().err)
    assert 'make demo ARGS="--activepieces-port' in told


def lose_a_column(database: Path) -> None:
    """Make the tables of the app older than it is."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "ALTER TABLE activepieces_integrations DROP COLUMN failed_connection_ids"
        )


def test_tables_of_an_older_version_are_named_with_the_folder_to_remove(tmp_path: Path) -> None:
    with running_demo(tmp_path):
        pass
    lose_a_column(tmp_path / "tasklane.db")

    with pytest.raises(SetupError) as told, running_demo(tmp_path):
        pass

    assert "activepieces_integrations has no column failed_connection_ids" in str(told.value)
    assert f"Remove the folder {tmp_path}" in str(told.value)


@pytest.mark.parametrize("mode", [["--demo"], []], ids=["demo", "app"])
def test_in_a_database_of_ones_own_no_folder_is_to_be_removed(
    mode: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'own.db'}")
    create_app()
    lose_a_column(tmp_path / "own.db")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    words = ["example_app", "--port", port, "--activepieces-port", "0", *mode]
    monkeypatch.setattr(sys, "argv", words)

    assert main() == 1

    told = capsys.readouterr().err
    assert told.startswith("The tables of the database were made by another version")
    assert "Remove" not in told
