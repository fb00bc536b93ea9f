"""Every ``flask … activepieces …`` line in the docs runs, on the example app with one of everything.

The names in the docs are those of other apps, so the lines get its scopes and ids.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.site import Site, add_agent_flow, example_site
from tests.docs.test_commands import COMMAND_LINES
from tests.support.pieces import token_on

pytestmark = pytest.mark.long

#: They run until they are stopped; other tests start them.
ENDLESS = re.compile(r"activepieces (deliver|try)\b(?!ies)")
#: They report what is wrong with the app, and end with 1 if anything is. They may have nothing to say.
REPORTS = re.compile(r"activepieces (doctor|integrations check|embedding check|grants check|piece diff)\b")
LINES = [line for line in COMMAND_LINES if not ENDLESS.search(str(line.values[0]))]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example app and the stand-in."""
    with example_site(tmp_path_factory.mktemp("site")) as site:
        add_agent_flow(site)
        options = ["--user", "1", "--tenant", "acme", "--name", "Agents", "--scope", "tasks:read", "--json"]
        site.ids["token"] = token_on(site.run("tokens", "create", *options).replace('"', " "))
        site.keep()
        yield site


@pytest.fixture
def site(filled: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The same, as it was before the last command; commands write files into a folder of the test."""
    monkeypatch.chdir(tmp_path)
    yield filled
    filled.restore()


def with_names_of(site: Site, line: str) -> str:
    """The line with the scopes and ids of the example app."""
    names = {
        r"\b(invoices|orders):": "tasks:",
        "5d1b8c0f3c7e4a55b3f0a8f0f5f6c2de": site.ids["client"],
        "4f1a9c0d2b7e4a55b3f0a8f0f5f6c2de": site.ids["acme"],
        "FhO0GqpXcmXH7xOqTNcIB": site.ids["agent flow"],
        r"\bstep_2\b": "step_1",
        r"\b42\b": "2",
    }
    for name, actual in names.items():
        line = re.sub(name, actual, line)
    return line


@pytest.mark.parametrize("line", LINES)
def test_the_command_runs(site: Site, line: str) -> None:
    parts = shlex.split(with_names_of(site, line), comments=True)
    answers = f"{site.ids['token']}\n" if "register" in parts else "y\n"

    result = site.app.test_cli_runner().invoke(args=parts[parts.index("activepieces") :], input=answers)

    is_report = REPORTS.search(line) is not None
    assert result.exit_code in ((0, 1) if is_report else (0,)), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.output.strip() or is_report
