"""The three parts of the quickstart, from an empty folder: every file and every command as printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from werkzeug.wrappers import Response

from tests.support.documents import DOCS, blocks, page
from tests.support.installation import copy_package
from tests.support.pages import Form, Page
from tests.support.terminals import Terminals, terminals
from tests.support.typed_pages import TypedPage, typed_page, write_curlrc

PAGE = page("quickstart")
_, ACTION = blocks(PAGE, "python")
#: The heading of the registration of a client.
CLIENT = "### Register an OAuth client"

pytestmark = pytest.mark.long


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Terminals]:
    """Someone in an empty folder beside a checkout of the package."""
    copy_package(tmp_path / "flask-activepieces")
    (tmp_path / "invoices").mkdir()
    with terminals(tmp_path / "invoices", logs=tmp_path, CURL_HOME=str(write_curlrc(tmp_path))) as opened:
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


def test_the_three_parts_work_from_an_empty_folder(reader: Terminals) -> None:
    with typed_page(TypedPage(DOCS / "quickstart.md", reader)) as typed:
        typed.types_next(to="pip install")
        ada = Ada()

        # Part 1
        *_, tried = typed.types_next(to="activepieces try")
        _, consent = ada.opens(printed(r"^Consent page +(\S+)$", tried))
        site = printed(r"^Your app +(\S+)$", tried)
        url, connected = ada.sends(site, consent.form("decision"), decision="approve")
        assert url.startswith(printed(r"^Activepieces +(http://\S+)", tried))
        assert "Connected:" in connected.text
        assert "Activepieces (trial)" in ada.opens(f"{site}/oauth/connected-apps")[1].text
        typed.interrupt()

        # Part 2
        *_, server = typed.types_next(to="python -m flask_activepieces.testing")
        key, project = printed(r"API key: +(\S+)$", server), printed(r"Project: +(\S+)", server)
        typed.types_next(to="FLASK_ACTIVEPIECES_BASE_URL")
        site = f"http://127.0.0.1:{typed.port}"
        assert requests.get(f"{site}/api/invoices", timeout=60).status_code == 401
        _, welcome = ada.opens(f"{site}/automation")
        _, wizard = ada.opens(site + welcome.links["Connect Activepieces"])
        _, projects = ada.sends(site, wizard.form("api_key"), api_key=key)
        _, overview = ada.sends(site, projects.form("sealed"), project=project)
        assert "Your workspace is connected to Activepieces." in overview.text
        typed.running.pop().interrupt()

        # Part 3
        app = reader.folder / "app.py"
        app.write_text(with_action(app.read_text("utf-8")), "utf-8")
        _, installed, _ = typed.types_next(to="piece install")
        assert installed.endswith("Installed version 1.0.0.\n")
        _, connections = ada.opens(f"{site}/automation/connections")
        _, connection = ada.sends(site, connections.form_to("/automation/connections/one-click"))
        assert "The connection was saved, and works." in connection.text
        _, answer = typed.types_next(to="tokens create")
        assert json.loads(answer) == json.loads(blocks(PAGE.partition("Type it in a third")[2], "text")[0])
        assert "Found 0 errors" in reader.types("flask --app app activepieces doctor")

        # Reference
        (registered,) = typed.types_next(to="client create")
        assert without_values(registered) == without_values(blocks(PAGE.partition(CLIENT)[2], "text")[0])
        typed.types_next(to="--server")


def printed(pattern: str, output: str) -> str:
    """What the output contains in the only group of the pattern."""
    (found,) = re.findall(pattern, output, re.M)
    return str(found)


def without_values(output: str) -> list[str]:
    """The lines of a registration, without the id and the secret."""
    return [re.sub(r"^(client_\w+ +).*", r"\1", line) for line in output.splitlines()]


def with_action(code: str) -> str:
    """The app with what Part 3 adds, where it says."""
    before, found, after = code.partition("@login_manager.user_loader\n")
    assert found
    return f"{before}{ACTION}\n\n{found}{after}"
