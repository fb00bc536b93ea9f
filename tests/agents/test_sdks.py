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

import flask
import pytest
from flask import Flask, Response
from playwright.sync_api import Browser

from tests.agents.conftest import PROGRAMS, python_with_sdk
from tests.browser.service import service
from tests.browser.steps import press, sees
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
#: Where a request names its revision since 2026-07-28.
REVISION_KEY = "io.modelcontextprotocol/protocolVersion"


@dataclass(frozen=True, kw_only=True)
class Sdk:
    """An SDK, how it is asked to speak, and which revision it then speaks."""

    program: str
    #: In npm, or the version in PyPI.
    package: str
    mode: str | None = None
    revision: str
    #: What it sends of the parameters by which newer ones ask for what the endpoint needs.
    asks_for: tuple[str, ...] = ("resource", "scope")


SDKS = {
    "TypeScript 1.32": Sdk(program="agent.mjs", package="@modelcontextprotocol/sdk", revision="2025-11-25"),
    "TypeScript 2.4, handshake": Sdk(
        program="agent.mjs", package="@modelcontextprotocol/client", mode="legacy", revision="2025-11-25"
    ),
    "TypeScript 2.4, newest": Sdk(
        program="agent.mjs", package="@modelcontextprotocol/client", mode="auto", revision="2026-07-28"
    ),
    "Python 2.3, handshake": Sdk(program="agent.py", package="2.3", mode="legacy", revision="2025-11-25"),
    "Python 2.3, newest": Sdk(program="agent.py", package="2.3", mode="auto", revision="2026-07-28"),
}
#: They know no documents, and some no resources, so that only their own registration says that they are agents.
OLDER_SDKS = {
    "TypeScript 1.12": Sdk(program="agent.mjs", package="sdk-1.12", revision="2025-03-26", asks_for=()),
    "TypeScript 1.20": Sdk(program="agent.mjs", package="sdk-1.20", revision="2025-06-18", asks_for=("resource",)),
    "Python 1.20": Sdk(program="agent_1x.py", package="1.20", revision="2025-06-18"),
}
#: How an agent becomes known to the app.
OPERATOR, DOCUMENT, REGISTRATION = "an operator", "its document", "its own registration"
ROUNDS = [(name, known_by) for name in SDKS for known_by in (OPERATOR, DOCUMENT, REGISTRATION)]
ROUNDS += [(name, REGISTRATION) for name in OLDER_SDKS]


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


@pytest.fixture
def spoken(app: Flask) -> set[str]:
    """The revisions in the messages to the endpoint and from it."""
    found: set[str] = set()

    @app.after_request
    def note(response: Response) -> Response:
        if flask.request.path == "/mcp" and response.status_code < 300 and flask.request.is_json:
            named = [flask.request.headers.get("MCP-Protocol-Version")]
            named.append(flask.request.json.get("params", {}).get("_meta", {}).get(REVISION_KEY))
            named.append(((response.get_json(silent=True) or {}).get("result") or {}).get("protocolVersion"))
            found.update(filter(None, named))
        return response

    return found


class VisitorByRequests:
    """A person whose browser is imitated."""

    def __init__(self, site: str) -> None:
        self._visitor = Visitor(site, "bob")

    def reads(self, url: str) -> str:
        return self._visitor.sees(url).text

    def allows(self, url: str) -> str:
        """Approve the request; return the redirect URL."""
        return self._visitor.allows(url)

    def disconnects(self) -> None:
        self._visitor.sends(self._visitor.sees("/oauth/connected-apps").form_to("/disconnect"))

    def close(self) -> None:
        self._visitor.close()


class VisitorInChromium:
    """A person with a real browser."""

    def __init__(self, site: str, browser: Browser) -> None:
        self._context = browser.new_context(base_url=site)
        self._page = self._context.new_page()
        self._page.goto("/login?as=bob")

    def reads(self, url: str) -> str:
        self._page.goto(url)
        return self._page.locator("main").inner_text()

    def allows(self, url: str) -> str:
        self._page.goto(url)
        press(self._page, "Approve")
        self._page.wait_for_url("**/callback?**")
        return self._page.url

    def disconnects(self) -> None:
        self._page.goto("/oauth/connected-apps")
        self._page.locator("summary", has_text="Disconnect").click()
        press(self._page, "Disconnect Agent of the tests")
        sees(self._page, "The app was disconnected.")

    def close(self) -> None:
        self._context.close()


AnyVisitor = VisitorByRequests | VisitorInChromium


def command_of(sdk: Sdk, request: pytest.FixtureRequest) -> list[str]:
    is_python = sdk.program.endswith(".py")
    return [python_with_sdk(sdk.package) if is_python else request.getfixturevalue("node"), sdk.program]


@pytest.mark.parametrize(("name", "known_by"), ROUNDS)
def test_the_whole_round(
    app: Flask,
    clock: StoppedClock,
    spoken: set[str],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    name: str,
    known_by: str,
) -> None:
    sdk = (SDKS | OLDER_SDKS)[name]
    command = command_of(sdk, request)
    with serving(app) as site, closing(VisitorByRequests(site)) as bob:
        go_round(app, clock, site, bob, sdk, command, known_by, REDIRECT_URI, tmp_path / "agent.log")

    assert spoken == {sdk.revision}


def test_the_whole_round_in_chromium(
    app: Flask,
    clock: StoppedClock,
    spoken: set[str],
    request: pytest.FixtureRequest,
    chromium: Browser,
    tmp_path: Path,
) -> None:
    sdk = SDKS["TypeScript 2.4, newest"]
    command = command_of(sdk, request)
    with service() as program, serving(app) as site, closing(VisitorInChromium(site, chromium)) as bob:
        go_round(app, clock, site, bob, sdk, command, REGISTRATION, program.callback, tmp_path / "agent.log")

    assert spoken == {sdk.revision}


def go_round(
    app: Flask,
    clock: StoppedClock,
    site: str,
    bob: AnyVisitor,
    sdk: Sdk,
    command: list[str],
    known_by: str,
    redirect_uri: str,
    log: Path,
) -> None:
    """Connect, call a tool, refresh, disconnect."""
    client: dict[str, Any] | None = None
    if known_by == OPERATOR:
        registered = Program.registered(app, "--public", redirect_uri=redirect_uri)
        client = {"client_id": registered.client_id, "redirect_uris": [redirect_uri]}
    with internet(publish) as net, running(command, log) as agent:
        connect_to(app, net)
        opened = agent.says(
            url=f"{site}/mcp",
            package=sdk.package,
            mode=sdk.mode,
            redirectUri=redirect_uri,
            client=client,
            metadataUrl=URL if known_by == DOCUMENT else None,
            tool="create_task",
            arguments={"title": "Feed the cat"},
        )["open"]
        asked = parse_qs(urlsplit(opened).query)
        wanted = {"resource": [f"{site}/mcp"], "scope": ["tasks:read tasks:write"]}  # what the challenge leads to
        assert {name: asked[name] for name in wanted if name in asked} == {
            name: wanted[name] for name in sdk.asks_for
        }

        assert ("not verified" in bob.reads(opened)) is (known_by != OPERATOR)
        used = agent.says(callback=bob.allows(opened))
        clock.advance(hours=2)
        again = agent.says(hours=2)
        bob.disconnects()
        asked_again = agent.says()

    sources = {OPERATOR: "operator", DOCUMENT: "document", REGISTRATION: "dynamic"}
    assert [row["source"] for row in rows_of(app, "oauth_clients")] == [sources[known_by]]
    assert len(net.server.received) == int(known_by == DOCUMENT)
    assert "create_task" in used["tools"]
    assert used["resources"] == ["trigger://task_done/samples", "trigger://task_gone/samples"]
    assert used["result"]["structuredContent"] == {"title": "Feed the cat", "secret_note": "acme"}
    assert again["token"] != used["token"], "the token has expired, and was refreshed"
    assert asked_again["open"].startswith(f"{site}/oauth/authorize?"), "the user took the permission back"
