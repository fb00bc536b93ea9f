"""The three parts of the quickstart, from an empty folder: every file and every command as printed."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from werkzeug.wrappers import Response

from tests.support.documents import blocks, page
from tests.support.installation import copy_package
from tests.support.pages import Form, Page
from tests.support.terminals import Terminals, terminals

PAGE = page("quickstart")
APP, ACTION = blocks(PAGE, "python")
#: In each terminal, once the page has created them.
PREPARED = "\n".join(f"if [ -f {file} ]; then . {file}; fi" for file in (".venv/bin/activate", "./env.sh"))
#: Any free ports, because others may use those of the page.
TRY_PORTS = "--port 0 --activepieces-port 0 --no-browser"

pytestmark = pytest.mark.long


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Terminals]:
    """Someone in an empty folder beside a checkout of the package."""
    copy_package(tmp_path / "flask-activepieces")
    (tmp_path / "invoices").mkdir()
    with terminals(tmp_path / "invoices", logs=tmp_path, prepared=PREPARED) as opened:
        yield opened


class Ada:
    """The browser of the user."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False

    def opens(self, url: str) -> tuple[str, Page]:
        """Open an address; sign in if the login page comes first. The address of the page, and what it shows."""
        answer = self.session.get(url, timeout=60)
        if "/login?" in answer.url:
            login = {"email": "ada@acme.test", "password": "demo"}
            answer = self.session.post(answer.url, data=login, timeout=60)
        return answer.url, self._page(answer)

    def sends(self, site: str, form: Form, **values: str) -> tuple[str, Page]:
        """Send a form; the address after all redirects, and what it shows."""
        answer = self.session.post(f"{site}{form.action}", data=form.values | values, timeout=60)
        return answer.url, self._page(answer)

    def _page(self, answer: requests.Response) -> Page:
        return Page(Response(answer.text, answer.status_code))  # type: ignore[arg-type]  # what a browser reads of it


def commands_after(text: str, count: int = 1) -> str:
    """The first blocks of shell commands after this text of the page."""
    assert text in PAGE, text
    return "".join(blocks(PAGE.partition(text)[2], "sh")[:count])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_the_three_parts_work_from_an_empty_folder(reader: Terminals) -> None:
    reader.types(commands_after("in an empty directory:"))
    app = reader.folder / "app.py"
    app.write_text(APP, "utf-8")
    ada = Ada()

    # Part 1
    *stored, sourced, tried = commands_after("The app and its commands need the same secret key").splitlines()
    reader.types("\n".join([*stored, sourced]))
    trial = reader.starts(f"{tried} {TRY_PORTS}")
    standin = trial.prints(r"^Activepieces +(http://\S+)")
    _, consent = ada.opens(trial.prints(r"^Consent page +(\S+)$"))
    site = trial.prints(r"^Your app +(\S+)$")
    url, connected = ada.sends(site, consent.form("decision"), decision="approve")
    assert url.startswith(standin)
    assert "Connected:" in connected.text
    assert "Activepieces (trial)" in ada.opens(f"{site}/oauth/connected-apps")[1].text
    trial.interrupt()

    # Part 2
    server = reader.starts(f"{commands_after('It prints an API key:').splitlines()[-1]} --port 0")
    key, standin = server.prints(r"API key: +(\S+)$"), server.prints(r"URL: +(\S+)$")
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    *settings, sourced, run = commands_after("In the first terminal, tell the app").splitlines()
    reader.types("\n".join(settings).replace("http://127.0.0.1:8080", standin).replace("5000", str(port)))
    running = reader.starts(f"{run} --port {port}")
    running.prints("Running on")
    assert requests.get(f"{site}/api/invoices", timeout=60).status_code == 401
    _, welcome = ada.opens(f"{site}/automation")
    _, wizard = ada.opens(site + welcome.links["Connect Activepieces"])
    _, projects = ada.sends(site, wizard.form("api_key"), api_key=key)
    _, overview = ada.sends(site, projects.form("sealed"), project=re.findall(r"Project: +(\S+)", server.output)[0])
    assert "Your workspace is connected to Activepieces." in overview.text
    running.interrupt()

    # Part 3
    app.write_text(with_action(app.read_text("utf-8")), "utf-8")
    export, install, run = commands_after("its piece with the API key").splitlines()
    assert reader.types(f"{export.replace('sk-…', key)}\n{install}").endswith("Installed version 1.0.0.\n")
    running = reader.starts(f"{run} --port {port}")
    running.prints("Running on")
    _, connections = ada.opens(f"{site}/automation/connections")
    _, connection = ada.sends(site, connections.form_to("/automation/connections/one-click"))
    assert "The connection was saved, and works." in connection.text
    create, call = commands_after("Type it in a third terminal").replace("\\\n", " ").splitlines()
    (token,) = re.findall(r"^apat_\S+$", reader.types(create), re.M)
    answer = reader.types(call.replace("apat_…", token).replace("5000", str(port)).replace("curl", "curl -s"))
    assert json.loads(answer) == json.loads(blocks(PAGE.partition("Type it in a third")[2], "text")[0])
    assert "Found 0 errors" in reader.types("flask --app app activepieces doctor")


def with_action(code: str) -> str:
    """The app with what Part 3 adds, where it says."""
    before, found, after = code.partition("@login_manager.user_loader\n")
    assert found
    return f"{before}{ACTION}\n\n{found}{after}"
