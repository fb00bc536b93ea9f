"""Clients by others do the whole round from the URL alone: sign-in, consent, tools, refresh, disconnect."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.agents.conftest import PROGRAMS
from tests.conftest import MakeApp
from tests.support.actors import Program
from tests.support.clock import StoppedClock
from tests.support.internet import URL, connect_to, internet
from tests.support.live import Visitor, serving
from tests.support.pieces import make_piece_app
from tests.support.raw_server import Received
from tests.support.storage import rows_of

pytestmark = pytest.mark.long

REDIRECT_URI = "http://127.0.0.1/callback"


@dataclass(frozen=True)
class Sdk:
    """An SDK, and how it is asked to speak."""

    program: str
    package: str
    mode: str | None


SDKS = {
    "TypeScript 1.32": Sdk("agent.mjs", "sdk", None),
    "TypeScript 2.4, handshake": Sdk("agent.mjs", "client", "legacy"),
    "TypeScript 2.4, newest": Sdk("agent.mjs", "client", "auto"),
    "Python 2.3, handshake": Sdk("agent.py", "", "legacy"),
    "Python 2.3, newest": Sdk("agent.py", "", "auto"),
}


def publish(received: Received) -> None:
    """The document of the agent."""
    document = {"client_id": URL, "client_name": "Agent of the tests", "redirect_uris": [REDIRECT_URI]}
    received.answer(200, document)


@dataclass
class RunningAgent:
    """The process of an agent."""

    process: subprocess.Popen[str]

    def says(self, **message: Any) -> dict[str, Any]:
        """What the agent answers."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the agent ended"
        answer: dict[str, Any] = json.loads(line)
        assert "error" not in answer, answer
        return answer


@contextmanager
def running(command: list[str], log: Path) -> Iterator[RunningAgent]:
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=PROGRAMS
        ) as process,
    ):
        try:
            yield RunningAgent(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=30)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_piece_app(make_app, ACTIVEPIECES_DYNAMIC_REGISTRATION=True)[0]


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    return SDKS[request.param]


@pytest.fixture
def command(sdk: Sdk, request: pytest.FixtureRequest) -> list[str]:
    program = "node" if sdk.program.endswith(".mjs") else "sdk_python"
    return [request.getfixturevalue(program), sdk.program]


#: How an agent becomes known to the app.
KNOWN_BY = ["an operator", "its document", "its own registration"]


@pytest.mark.parametrize("known_by", KNOWN_BY)
def test_the_whole_round(
    app: Flask, clock: StoppedClock, sdk: Sdk, command: list[str], tmp_path: Path, known_by: str
) -> None:
    client: dict[str, Any] | None = None
    if known_by == "an operator":
        registered = Program.registered(app, "--public", redirect_uri=REDIRECT_URI)
        client = {"client_id": registered.client_id, "redirect_uris": [REDIRECT_URI]}
    with (
        internet(publish) as net,
        serving(app) as site,
        closing(Visitor(site, "bob")) as bob,
        running(command, tmp_path / "agent.log") as agent,
    ):
        connect_to(app, net)
        opened = agent.says(
            url=f"{site}/mcp",
            package=sdk.package,
            mode=sdk.mode,
            redirectUri=REDIRECT_URI,
            client=client,
            metadataUrl=URL if known_by == "its document" else None,
            tool="create_task",
            arguments={"title": "Feed the cat"},
        )["open"]
        asked = parse_qs(urlsplit(opened).query)
        assert asked["resource"] == [f"{site}/mcp"]
        assert asked["scope"] == ["tasks:read tasks:write"], "what the challenge names"

        assert ("not verified" in bob.sees(opened).text) is (known_by != "an operator")
        used = agent.says(callback=bob.allows(opened))
        clock.advance(hours=2)
        again = agent.says(hours=2)
        bob.sends(bob.sees("/oauth/connected-apps").form_to("/disconnect"))
        asked_again = agent.says()

    sources = {"an operator": "operator", "its document": "document", "its own registration": "dynamic"}
    assert [row["source"] for row in rows_of(app, "oauth_clients")] == [sources[known_by]]
    assert len(net.server.received) == int(known_by == "its document")
    assert "create_task" in used["tools"]
    assert used["resources"] == ["trigger://task_done/samples", "trigger://task_gone/samples"]
    assert used["result"]["structuredContent"] == {"title": "Feed the cat", "secret_note": "acme"}
    assert again["token"] != used["token"], "the token has expired, and was refreshed"
    assert asked_again["open"].startswith(f"{site}/oauth/authorize?"), "the user took the permission back"
