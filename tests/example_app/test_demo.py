"""``make demo``: Tasklane and a stand-in for Activepieces, linked; the printed suggestions work."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import shutil
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
from example_app.demo import start_demo
from example_app.models import db
from flask_activepieces.errors import SetupError
from tests.support.documents import ROOT
from tests.support.terminals import terminals


def curl_commands(instructions: str) -> list[list[str]]:
    """The arguments of each curl command in the instructions."""
    lines = instructions.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.strip().startswith("curl ")]


def post_json(command: list[str]) -> requests.Response:
    """Send the request of the first curl command."""
    body = command[command.index("-d") + 1]
    return requests.post(command[1], body, headers={"Content-Type": "application/json"}, timeout=9)


def test_flow_adds_a_task_also_after_a_restart(tmp_path: Path) -> None:
    with start_demo(tmp_path) as instructions:
        first = curl_commands(instructions)[0]
        assert post_json(first).json()["task"]["title"] == "Made by a flow"

    with start_demo(tmp_path) as instructions:
        again = curl_commands(instructions)[0]
        assert post_json(again).status_code == 201
    assert again[1].split("/")[-2:] == first[1].split("/")[-2:]


def test_admin_of_the_stand_in_signs_in_with_the_printed_password(tmp_path: Path) -> None:
    """Each start generates a new password."""
    with start_demo(tmp_path) as instructions:
        (email, password) = re.findall(r"admin is (\S+) with the password (\S+)$", instructions, re.M)[0]
        url = curl_commands(instructions)[0][1].partition("/webhooks/")[0]
        login = {"email": email, "password": password}
        answer = requests.post(f"{url}/authentication/sign-in", json=login, timeout=9)

    assert answer.status_code == 200


def test_other_company_can_be_linked_with_the_printed_key(tmp_path: Path) -> None:
    with start_demo(tmp_path) as instructions:
        (key,) = re.findall(r"^ +(sk-\w+)$", instructions, re.MULTILINE)
        (url,) = re.findall(r"Tasks +(http://\S+)/$", instructions, re.MULTILINE)
        gwen = Browser(url)
        gwen.submit("/login", "/login", email="admin@globex.test", password="demo")

        picker = gwen.submit("/automation/setup?with=key", "/setup/link", api_key=key)
        gwen.close()

    assert "Globex" in picker.text
    assert key not in picker.text


def test_the_demo_prints_how_to_connect_each_agent(tmp_path: Path) -> None:
    with start_demo(tmp_path) as instructions:
        (url,) = re.findall(r"Tasks +(http://\S+)/$", instructions, re.MULTILINE)
        answer = requests.post(f"{url}/mcp", timeout=9)

    assert re.search(rf"^  Agents +{url}/mcp \(", instructions, re.MULTILINE)
    step = instructions.partition("Let an agent add tasks.")[2].partition("Claude and ChatGPT on the web")[0]
    printed = dict(re.findall(r"^       (\S+(?: Code)?) +(\S.+)$", step, re.MULTILINE))
    assert printed == {
        "Claude Code": f"claude mcp add --transport http tasklane {url}/mcp",
        "VS Code": f"""code --add-mcp '{{"name": "tasklane", "type": "http", "url": "{url}/mcp"}}'""",
        "Cursor": f'in ~/.cursor/mcp.json: {{"mcpServers": {{"tasklane": {{"url": "{url}/mcp"}}}}}}',
        "others": f"npx mcp-remote {url}/mcp",
    }
    assert answer.status_code == 401
    assert f'resource_metadata="{url}/.well-known/oauth-protected-resource/mcp"' in answer.headers["WWW-Authenticate"]


def test_suggested_commands_use_the_database_of_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_demo(tmp_path) as instructions:
        for name, value in re.findall(r"export (\w+)=(\S+)$", instructions, re.M):
            monkeypatch.setenv(name, value)
        commands = re.findall(r"flask --app (\S+) activepieces (.+)$", instructions, re.M)
        results = []
        for module, arguments in commands:
            # Like ``flask --app``, which calls the module's create_app.
            app = importlib.import_module(module).create_app(tmp_path)
            results.append(app.test_cli_runner().invoke(args=["activepieces", *arguments.split(), "--json"]))
            with app.app_context():
                db.engine.dispose()

    assert [result.exit_code for result in results] == [0, 0, 0, 0], results
    (grant,) = json.loads(results[0].stdout)
    assert (grant["tenant_id"], grant["scope"]) == ("acme", "profile:read tasks:read tasks:write")


@pytest.mark.long
def test_an_edited_action_changes_in_the_builder_and_in_the_flow(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "example_app", checkout / "example_app", ignore=shutil.ignore_patterns("__pycache__"))
    with terminals(checkout, logs=tmp_path, PYTHONPATH=str(ROOT)) as terminal:
        running = terminal.starts(f"{sys.executable} -m example_app --demo --port 0 --activepieces-port 0")
        running.prints("Ctrl-C stops both")
        instructions = running.output

        edit_as_printed(checkout, instructions)
        commands = "\n".join(re.findall(r"^ +(export .+|\.venv/bin/flask .+ piece .+)$", instructions, re.M))
        updated = terminal.types(commands.replace(".venv/bin/flask", f"{sys.executable} -m flask"))
        running.interrupt()
        again = terminal.starts(f"{sys.executable} -m example_app --demo --port 0 --activepieces-port 0")
        again.prints("Ctrl-C stops both")
        task = post_json(curl_commands(again.output)[0]).json()["task"]

    assert updated.startswith("patch: action create_task: displayName changed\n")
    assert updated.endswith("Installed version 1.0.1.\n")
    assert task["title"] == "Made by a flow!"


def edit_as_printed(checkout: Path, instructions: str) -> None:
    """Make the two changes that the last suggestion shows."""
    file, action = re.findall(r"In (\S+\.py), give (\w+) a title", instructions)[0]
    decorator, change = re.findall(r"^ +(@activepieces.+), …\)\n +(\S.+)$", instructions, re.M)[0]
    (beginning,) = re.findall(r'begins with "(.+)"', instructions)
    code = (checkout / file).read_text("utf-8")
    code = re.sub(rf'^@activepieces\.action\("{action}"', lambda _: decorator, code, count=1, flags=re.M)
    before, name, body = code.partition(f"def {action}(")
    line = re.search(rf"^( +){beginning}.*$", body, re.M)
    assert line is not None
    body = body.replace(line[0], f"{line[0]}\n{line[1]}{change}", 1)
    (checkout / file).write_text(before + name + body, "utf-8")


def test_command_before_the_first_demo_says_to_run_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="run `make demo` once"):
        demo.create_app(tmp_path)


def test_error_for_a_taken_port_names_the_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        monkeypatch.setattr(sys, "argv", ["example_app", "--demo", "--activepieces-port", port])

        assert main() == 1

    error = capsys.readouterr().err
    assert f"Port {port}" in error
    assert 'make demo ARGS="--activepieces-port' in error


def drop_column(database: Path) -> None:
    """Make the tables older than the app."""
    with closing(sqlite3.connect(database)) as conn:
        conn.execute("ALTER TABLE activepieces_integrations DROP COLUMN failed_connection_ids")


def test_error_for_outdated_tables_names_the_folder_to_remove(tmp_path: Path) -> None:
    with start_demo(tmp_path):
        pass
    drop_column(tmp_path / "tasklane.db")

    with pytest.raises(SetupError) as error, start_demo(tmp_path):
        pass

    assert "activepieces_integrations has no column failed_connection_ids" in str(error.value)
    assert f"Remove the folder {tmp_path}" in str(error.value)


@pytest.mark.parametrize("mode", [["--demo"], []], ids=["demo", "app"])
def test_error_for_outdated_tables_in_another_database_does_not_suggest_removal(
    mode: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'own.db'}")
    create_app()
    drop_column(tmp_path / "own.db")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    monkeypatch.setattr(sys, "argv", ["example_app", "--port", port, "--activepieces-port", "0", *mode])

    assert main() == 1

    error = capsys.readouterr().err
    assert error.startswith("The database has tables of another version")
    assert "Remove" not in error
