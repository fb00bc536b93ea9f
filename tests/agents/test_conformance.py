"""The specification's own conformance suite, against an app of ours.

docs/mcp-conformance.md lists the scenarios that do not apply, with the reasons. All others must pass: a scenario
passes if it has a successful check, and no check that failed, was skipped or ended with a warning.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
import requests

from flask_activepieces.pieces.declarations import Piece
from flask_activepieces.testing.http_server import HttpServer
from tests.agents.conftest import PROGRAMS
from tests.conftest import MakeApp
from tests.support import hosts
from tests.support.actors import Person, Program
from tests.support.conformance_app import declare, with_token
from tests.support.documents import code_words, page
from tests.support.live import Visitor, serving
from tests.support.pieces import create_token
from tests.support.ports import free_port

pytestmark = pytest.mark.long

#: The suite's version, and what it is asked to run.
RUNS = {
    "0.1.16": ["--suite", "all"],
    "0.2.0-alpha.12": ["--suite", "all"],
    "0.2.0-alpha.12, 2025-11-25": ["--requirements", "2025-11-25"],
    "0.2.0-alpha.12, 2026-07-28": ["--requirements", "2026-07-28"],
}


def documented(heading: str) -> set[str]:
    """The first column of a table on the page."""
    below = page("mcp-conformance").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {word for row in re.findall(r"^\| (`[^|]*) \|", below, re.MULTILINE) for word in code_words(row)}


NOT_APPLICABLE = documented("Scenarios that do not apply")
CHECKS_NOT_APPLICABLE = documented("Checks that do not apply")


@dataclass(frozen=True)
class Outcome:
    """How a scenario ended."""

    #: The ids of the checks that failed, were skipped or ended with a warning.
    open_checks: set[str]
    has_success: bool

    @property
    def passed(self) -> bool:
        return self.has_success and self.open_checks <= CHECKS_NOT_APPLICABLE


@dataclass(frozen=True)
class Run:
    """One run of the suite."""

    listed: set[str]
    outcomes: dict[str, Outcome]

    @property
    def not_passed(self) -> set[str]:
        return {name for name, outcome in self.outcomes.items() if not outcome.passed}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    piece = Piece(name="@acme/piece-conformance", title="Conformance")
    directory = tmp_path_factory.mktemp("conformance")
    app = hosts.make_app(directory, declare=declare, piece=piece, ACTIVEPIECES_MCP_TOKEN_LIMIT=100_000)
    with closing(HttpServer(with_token(app, create_token(Person(app, "bob"))))) as server:
        yield f"http://127.0.0.1:{server.port}/mcp"
    hosts.dispose(app)


@pytest.fixture(scope="module")
def runs(node: str, url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    return {
        name: run_suite(node, url, name.partition(",")[0], options, tmp_path_factory.mktemp("results"))
        for name, options in RUNS.items()
    }


def run_suite(node: str, url: str, version: str, options: list[str], results: Path) -> Run:
    suite = [node, str(PROGRAMS / "node_modules" / f"conformance-{version}" / "dist" / "index.js")]
    command = [*suite, "server", "--url", url, "--output-dir", str(results), *options]
    subprocess.run(command, capture_output=True, text=True, timeout=300)
    outcomes = {
        re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", path.parent.name): outcome_of(path)
        for path in results.glob("*/checks.json")
    }
    return Run(scenarios_of(suite, [] if "all" in options else options), outcomes)


def outcome_of(path: Path) -> Outcome:
    checks = json.loads(path.read_text("utf-8"))
    open_checks = {check["id"] for check in checks if check["status"] not in ("SUCCESS", "INFO")}
    return Outcome(open_checks, any(check["status"] == "SUCCESS" for check in checks))


def scenarios_of(suite: list[str], options: list[str]) -> set[str]:
    """The scenarios for servers that the suite lists."""
    command = [*suite, "list", "--server", *options]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    for_servers = text.partition("Server scenarios")[2].partition("\n\n")[0]
    return set(re.findall(r"^  - (\S+)", for_servers, re.MULTILINE))


@pytest.mark.parametrize("run", RUNS)
def test_every_listed_scenario_runs(runs: dict[str, Run], run: str) -> None:
    assert len(runs[run].listed) >= 30, "the list was not understood"
    assert runs[run].listed - set(runs[run].outcomes) == set()


@pytest.mark.parametrize("run", RUNS)
def test_every_scenario_that_applies_passes(runs: dict[str, Run], run: str) -> None:
    remaining = runs[run].not_passed - NOT_APPLICABLE

    assert {name: runs[run].outcomes[name] for name in remaining} == {}


def test_what_is_left_out_would_not_pass(runs: dict[str, Run]) -> None:
    """So the page lists no more than it must."""
    outcomes = [pair for run in runs.values() for pair in run.outcomes.items()]
    checks = {check for name, outcome in outcomes if name not in NOT_APPLICABLE for check in outcome.open_checks}

    assert {name for run in runs.values() for name in run.not_passed} >= NOT_APPLICABLE
    assert checks == CHECKS_NOT_APPLICABLE


# --- The authorization server ---------------------------------------------------------------------


def test_the_authorization_server_passes(node: str, tmp_path: Path, make_app: MakeApp) -> None:
    """The scenarios for authorization servers: metadata, and a code for the endpoint."""
    port = free_port()
    app = make_app(declare=declare)
    program = Program.registered(app, "--public", redirect_uri=f"http://127.0.0.1:{port}/callback")
    suite = PROGRAMS / "node_modules" / "conformance-0.2.0-alpha.12" / "dist" / "index.js"
    with serving(app) as site, closing(Visitor(site, "bob")) as bob:
        options = {
            "--url": site,
            "--client-id": program.client_id,
            "--resource": f"{site}/mcp",
            "--port": str(port),
            "--output-dir": str(tmp_path),
        }
        command = [node, str(suite), "authorization", *chain.from_iterable(options.items())]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout
            opened = next(url for line in process.stdout for url in re.findall(rf"{site}/oauth/authorize\S*", line))
            requests.get(bob.allows(opened), timeout=10)
            process.stdout.read()

    checks = [check for path in tmp_path.glob("*/checks.json") for check in json.loads(path.read_text("utf-8"))]
    assert {check["id"] for check in checks} >= {"authorization-server-metadata", "authorization-code-grant"}
    assert [check for check in checks if check["status"] not in ("SUCCESS", "INFO")] == []
