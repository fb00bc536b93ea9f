"""Every shell line of the README and of the pages runs: in bash, from an empty folder, with the wheel.

The pages in `TYPED_ELSEWHERE` need more than a folder. Their tests type the same blocks, and fail if one is left.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest

from example_app.demo import SETTINGS
from tests.browser.site import SETTINGS as MORE_SETTINGS
from tests.browser.site import Site, add_agent_flow, example_site
from tests.support import hosts
from tests.support.documents import PAGES, README, ROOT, all_blocks, blocks, page, shell_lines
from tests.support.installation import Reader
from tests.support.requirements import require
from tests.support.terminals import Terminals, terminals
from tests.support.typed_pages import TypedPage, typed_page, write_curlrc

EXAMPLE = ROOT / "example_app" / "README.md"
WITH_SHELL = [path for path in [README, EXAMPLE, *PAGES] if shell_lines(path.read_text("utf-8"))]
TYPED_ELSEWHERE = {
    "quickstart": "test_quickstart_typed",
    "first-piece": "test_first_piece",
    "deploy": "test_deployed_machine",
}
#: The pages whose lines run their own app. The others run the example app, with one of everything.
WITH_OWN_APP = ["README", "mcp", "existing-app"]
#: What pages about an app of any name call it.
APP = """
from flask_migrate import Migrate

from example_app.demo import create_app
from example_app.models import db

app = create_app()
Migrate(app, db)
"""
#: These lines are typed in the checkout, with its environment.
IN_CHECKOUT = r"(make|pip) "


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example app and the stand-in, with one of everything."""
    with example_site(tmp_path_factory.mktemp("site"), SECRET_KEY=hosts.SECRET_KEY) as site:
        add_agent_flow(site)
        site.keep()
        yield site


@pytest.fixture
def in_folder(reader: Reader, tmp_path: Path) -> Iterator[Terminals]:
    """Terminals of the reader in an empty folder."""
    folder, logs = tmp_path / "folder", tmp_path / "logs"
    folder.mkdir()
    logs.mkdir()
    with terminals(
        folder, logs=logs, CURL_HOME=str(write_curlrc(logs)), FLASK_APP="app", **reader.variables
    ) as opened:
        yield opened


@pytest.fixture
def in_checkout(reader: Reader, tmp_path: Path) -> Iterator[Terminals]:
    """Terminals of the reader in the checkout."""
    path = f"{reader.checkout}/.venv/bin:{os.environ['PATH']}"
    with terminals(reader.checkout, logs=tmp_path, PATH=path) as opened:
        yield opened


@pytest.mark.long
@pytest.mark.parametrize(
    "path",
    [path for path in WITH_SHELL if path.stem not in TYPED_ELSEWHERE],
    ids=lambda path: f"{path.parent.name}-{path.stem}" if path.stem == "README" else path.stem,
)
def test_every_line_runs(
    path: Path, reader: Reader, in_folder: Terminals, in_checkout: Terminals, request: pytest.FixtureRequest
) -> None:
    lines = "\n".join(shell_lines(path.read_text("utf-8")))
    if "npm " in lines:
        require("npm")
    with typed_page(TypedPage(path, in_folder, {IN_CHECKOUT: in_checkout})) as typed:
        if path == EXAMPLE or path.stem not in WITH_OWN_APP:
            take_example_app(typed, request.getfixturevalue("filled"))
            (in_folder.folder / ".venv").symlink_to(reader.environment)
        elif path.stem == "mcp":
            (in_folder.folder / "app.py").write_text(blocks(page("quickstart"), "python")[0], "utf-8")
        if re.search(r"https://app\.example\.com| mcp register ", lines):
            start_server(typed)
        if " db " in lines:
            typed.saves()
            (app,) = set(re.findall(r"--app (\w+) db", lines))
            in_folder.types(f"flask --app {app} db init")

        typed.types_all()


def take_example_app(typed: TypedPage, site: Site) -> None:
    """Copy the example app and its data into the folder, and replace the page's names with its own."""
    folder = typed.terminals.folder
    copytree(ROOT / "example_app", folder / "example_app")
    (folder / "app.py").write_text(APP, "utf-8")
    data = folder / "instance" / "demo"
    data.mkdir(parents=True)
    site.restore()
    with closing(sqlite3.connect(site.database)) as source, closing(sqlite3.connect(data / "tasklane.db")) as target:
        source.backup(target)
    own = {"SECRET_KEY": hosts.SECRET_KEY, "ACTIVEPIECES_PUBLIC_URL": f"http://127.0.0.1:{typed.port}"}
    settings = json.loads((site.database.parent / SETTINGS).read_text("utf-8")) | MORE_SETTINGS | own
    (data / SETTINGS).write_text(json.dumps(settings), "utf-8")
    typed.names |= {
        r"\b(invoices|orders):": "tasks:",
        "5d1b8c0f3c7e4a55b3f0a8f0f5f6c2de": site.ids["client"],
        "4f1a9c0d2b7e4a55b3f0a8f0f5f6c2de": site.ids["acme"],
        "FhO0GqpXcmXH7xOqTNcIB": site.ids["agent flow"],
        r"\bstep_2\b": "step_1",
        r"\b42\b": "2",
    }


def start_server(typed: TypedPage) -> None:
    """Start the app that the page or Activepieces calls, and sign in to it for `curl -b cookies.txt`."""
    server = typed.terminals.starts(f"flask --app app run --port {typed.port}")
    server.prints("Running on")
    typed.running.append(server)
    credentials = "-d email=admin@acme.test -d password=demo"
    typed.terminals.types(f"curl -c cookies.txt {credentials} http://127.0.0.1:{typed.port}/login")


@pytest.mark.parametrize("name", TYPED_ELSEWHERE)
def test_the_other_pages_are_typed_too(name: str) -> None:
    test = Path(__file__).with_name(f"{TYPED_ELSEWHERE[name]}.py").read_text("utf-8")

    assert re.search(rf'with typed_page\(\w+Page\(DOCS / "{name}\.md"', test)


@pytest.mark.parametrize("path", [README, EXAMPLE, *PAGES], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_block_has_another_name_for_the_shell(path: Path) -> None:
    languages = {block.language for block in all_blocks(path.read_text("utf-8"))}

    assert not languages & {"bash", "shell", "zsh", "{code-block}", "{code}"}
