"""The specification's own conformance suite, against an app of ours.

docs/mcp-conformance.md lists the scenarios that do not apply, with the reasons. Each must fail, and no other.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
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

pytestmark = pytest.mark.long

#: The suite's version, and what it is asked to run.
RUNS = {
    "0.1.16": ["--suite", "all"],
    "0.2.0-alpha.12, 2025-11-25": ["--requirements", "2025-11-25"],
    "0.2.0-alpha.12, 2026-07-28": ["--requirements", "2026-07-28"],
}


def documented(heading: str) -> set[str]:
    """The first column of a table on the page."""
    below = page("mcp-conformance").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {word for row in re.findall(r"^\| (`[^|]*) \|", below, re.MULTILINE) for word in code_words(row)}


NOT_APPLICABLE = documented("Scenarios that do not apply")
CHECKS_NOT_APPLICABLE = documented("Checks that do not apply")

#: Scenario -> the ids of its failed checks.
Failures = dict[str, set[str]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    piece = Piece(name="@acme/piece-conformance", title="Conformance")
    directory = tmp_path_factory.mktemp("conformance")
    app = hosts.make_app(directory, declare=declare, piece=piece, ACTIVEPIECES_MCP_TOKEN_LIMIT=100_000)
    with closing(HttpServer(with_token(app, create_token(Person(app, "bob"))))) as server:
        yield f"http://127.0.0.1:{server.port}/mcp"
    hosts.dispose(app)


@pytest.fixture(scope="module")
def failures(node: str, url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Failures]:
    """What fails in each run."""
    return {
        name: run_suite(node, url, name.partition(",")[0], options, tmp_path_factory.mktemp("results"))
        for name, options in RUNS.items()
    }


def run_suite(node: str, url: str, version: str, options: list[str], results: Path) -> Failures:
    suite = PROGRAMS / "node_modules" / f"conformance-{version}" / "dist" / "index.js"
    command = [node, str(suite), "server", "--url", url, "--output-dir", str(results), *options]
    subprocess.run(command, capture_output=True, text=True, timeout=300)
    found = {
        re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", path.parent.name): {
            check["id"] for check in json.loads(path.read_text("utf-8")) if check["status"] == "FAILURE"
        }
        for path in results.glob("*/checks.json")
    }
    assert len(found) > 20, "the suite did not run"
    return found


@pytest.mark.parametrize("run", RUNS)
def test_every_scenario_that_applies_passes(failures: dict[str, Failures], run: str) -> None:
    remaining = {name: failed for name, failed in failures[run].items() if failed and name not in NOT_APPLICABLE}
    failed_checks = {check for failed in remaining.values() for check in failed}

    assert failed_checks <= CHECKS_NOT_APPLICABLE, remaining


def test_what_is_left_out_would_fail(failures: dict[str, Failures]) -> None:
    """So the page lists no more than it must."""
    failing = {name for found in failures.values() for name, failed in found.items() if failed}
    checks = {
        check
        for found in failures.values()
        for name, failed in found.items()
        for check in failed
        if name not in NOT_APPLICABLE
    }

    assert failing >= NOT_APPLICABLE
    assert checks == CHECKS_NOT_APPLICABLE


# --- The authorization server ---------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


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
    assert [check for check in checks if check["status"] == "FAILURE"] == []
