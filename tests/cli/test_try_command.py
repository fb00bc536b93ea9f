"""``flask activepieces try``, with the app of the quickstart, from an empty folder."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
import requests
from werkzeug.wrappers import Response

from tests.cli.conftest import Run
from tests.conftest import MakeApp
from tests.support.documents import ROOT, blocks, page
from tests.support.hosts import SECRET_KEY
from tests.support.pages import Page

COMMAND = [sys.executable, "-m", "flask", "--app", "app", "activepieces", "try"]
FREE_PORTS = ["--port", "0", "--activepieces-port", "0"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the app of the quickstart."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(blocks(page("quickstart"), "python")[0], encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which a browser notes what it opened."""
    return tmp_path_factory.mktemp("browser") / "opened"


@pytest.fixture(scope="module")
def browser_command(opened: Path) -> Path:
    program = opened.parent / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    program.chmod(0o700)
    return program


@pytest.fixture(params=[[]], scope="module")
def output(request: pytest.FixtureRequest, folder: Path, opened: Path, browser_command: Path) -> Iterator[str]:
    """What the command prints before it waits; it is interrupted at the end."""
    opened.unlink(missing_ok=True)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "FLASK_SECRET_KEY": SECRET_KEY,
        "BROWSER": f"{browser_command} %s",
    }
    command = [*COMMAND, *FREE_PORTS, "--tenant", "acme", *request.param]
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    # Ends the reading below if the command hangs.
    deadline = Timer(60, process.kill)
    deadline.start()
    lines: list[str] = []
    with process.stdout:
        for line in process.stdout:
            lines.append(line)
            if "Ctrl+C" in line:
                break
        yield "".join(lines)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    deadline.cancel()


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition holds within some seconds."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def address(output: str, label: str) -> str:
    (found,) = re.findall(rf"^{label} +(\S+)", output, re.MULTILINE)
    return str(found)


def test_the_printed_consent_page_ends_in_a_connection_and_leaves_nothing(folder: Path, output: str) -> None:
    browser, app = requests.Session(), address(output, "Your app")

    login = browser.get(address(output, "Consent page"), timeout=9)
    assert login.url.startswith(f"{app}/login?next=")
    consent = browser.post(login.url, data={"email": "ada@acme.test", "password": "demo"}, timeout=9)
    assert "Activepieces (trial)" in consent.text
    form = Page(Response(consent.text)).form("decision")  # type: ignore[arg-type]  # what a browser reads of it
    connected = browser.post(f"{app}{form.action}", data=form.values | {"decision": "approve"}, timeout=9)

    assert connected.url.startswith(address(output, "Activepieces"))
    assert "Connected:" in connected.text
    with closing(sqlite3.connect(folder / "instance" / "app.sqlite")) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'activepieces_%'"):
            if not table.startswith("activepieces_sqlite"):
                (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
                assert count == 0, table
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == ["app.py", "instance"]


def test_the_printed_client_connects_again_on_the_page_of_the_stand_in(output: str) -> None:
    activepieces = address(output, "Activepieces")
    (secret,) = re.findall(r"^ +secret (\S+)$", output, re.MULTILINE)
    shown = requests.get(activepieces, timeout=9).text
    form = Page(Response(shown)).forms[0]  # type: ignore[arg-type]  # what a browser reads of it
    client = {"client_id": address(output, "OAuth client"), "client_secret": secret}

    answer = requests.post(
        f"{activepieces}{form.action}", data=form.values | client, allow_redirects=False, timeout=9
    )

    assert answer.headers["Location"].startswith(f"{address(output, 'Your app')}/oauth/authorize?")
    assert "use --tenant with its id" in output


def test_the_consent_page_is_opened_in_a_browser(output: str, opened: Path) -> None:
    consent_page = address(output, "Consent page")

    assert eventually(opened.exists)
    assert eventually(lambda: opened.read_text().strip() == consent_page)


@pytest.mark.parametrize("output", [["--no-browser"]], indirect=True, scope="module")
def test_without_a_browser_only_the_address_is_printed(output: str, opened: Path) -> None:
    assert requests.get(address(output, "Consent page"), timeout=9).status_code == 200

    assert not opened.exists()


def test_without_a_tenant_a_script_is_told_what_to_name(run: Run) -> None:
    result = run("try", "--no-browser", *FREE_PORTS)

    assert result.exit_code == 2
    assert "--tenant ID" in result.stderr


def test_a_setup_error_is_one_line(make_app: MakeApp) -> None:
    runner = make_app(ACTIVEPIECES_SCOPES={}).test_cli_runner()

    result = runner.invoke(args=["activepieces", "try", "--no-browser", "--tenant", "acme", *FREE_PORTS])

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ACTIVEPIECES_SCOPES is empty")


def test_both_servers_cannot_have_the_same_port(run: Run) -> None:
    result = run("try", "--no-browser", "--tenant", "acme", "--port", "5504", "--activepieces-port", "5504")

    assert result.exit_code == 2
    assert result.stderr.endswith("Error: --port and --activepieces-port must be different.\n")
