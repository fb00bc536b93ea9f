"""Canary secrets of the Activepieces side: no success and no error reveals one.

They must not appear in any log (urllib3's included), ``repr``, signal, audit row or response, nor in the database,
whose files are searched byte by byte.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from flask import Flask

from flask_activepieces import signals
from flask_activepieces.state import get_state
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.access.accounts import add_api_key
from tests.support import hosts
from tests.support.acme import acme_pieces
from tests.support.actors import Person, answer_of
from tests.support.api_user import OWN_PIECE, PIECE, ApiUser
from tests.support.hosts import dispose
from tests.support.live import serving
from tests.support.object_graph import reachable_objects
from tests.support.pages import Page
from tests.support.storage import database_away, engine_of, rows_of
from tests.support.token_endpoint import Reply, TokenEndpoint, token_endpoint

ACME = "@activepieces/piece-acme-"
OUR_SECRET = "canary-secret-of-our-app"


@dataclass
class CanaryRun:
    """The secrets that were planted, and everything that might reveal them."""

    app: Flask
    folder: Path
    secrets: set[str] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    log: str = ""

    def plant(self, secret: str) -> str:
        assert len(secret) > 8
        self.secrets.add(secret)
        return secret

    def found_in(self, text: str) -> set[str]:
        return {secret for secret in self.secrets if secret in text}


@dataclass
class RecordingUser(ApiUser):
    """An API user whose responses are recorded."""

    canaries: CanaryRun | None = None

    def calls(self, *arguments: Any, **options: Any) -> Any:
        answer = super().calls(*arguments, **options)
        assert self.canaries is not None
        # The browser's cookie and a redirect that carries a code are meant for this browser only.
        headers = [pair for pair in answer.headers if pair[0] not in ("Set-Cookie", "Location")]
        self.canaries.answers.append(f"{answer.text} {headers}")
        return answer


class RecordingHandler(logging.Handler):
    """Record every log record."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def all_log_records() -> Iterator[list[logging.LogRecord]]:
    """The records of all loggers at DEBUG level."""
    root, handler = logging.getLogger(), RecordingHandler()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        yield handler.records
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CanaryRun]:
    """Run everything that the JSON API does with secrets, with all its failures."""
    folder = tmp_path_factory.mktemp("canaries")
    with (
        token_endpoint() as acme,
        ActivepiecesServer(pieces=[*acme_pieces(acme.url), OWN_PIECE]) as server,
        all_log_records() as records,
    ):
        canaries = CanaryRun(make_app(folder, server), folder)
        for secret in (server.api_key, server.password, OUR_SECRET):
            canaries.plant(secret)
        run_everything(canaries, server, acme)
        canaries.log = " ".join(f"{record.getMessage()} {vars(record)!r}" for record in records)
        yield canaries
        dispose(canaries.app)


def make_app(folder: Path, server: ActivepiecesServer) -> Flask:
    return hosts.make_app(
        folder,
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=OWN_PIECE.name,
        ACTIVEPIECES_TIMEOUT=1,
        ACTIVEPIECES_THIRD_PARTY_APPS={f"{ACME}oauth": {"client_id": "our-app", "client_secret": OUR_SECRET}},
    )


def run_everything(canaries: CanaryRun, server: ActivepiecesServer, acme: TokenEndpoint) -> None:
    def note(sender: Any, **event: Any) -> None:
        canaries.events.append(repr(event))

    for signal in signals.BY_NAME.values():
        signal.connect(note, canaries.app, weak=False)
    with serving(canaries.app) as site:
        alice = RecordingUser(Person(canaries.app, "alice"), site.replace("127.0.0.1", "localhost"), canaries)
        integration = set_up(canaries, alice, server)
        save_connections(canaries, alice, integration)
        # The app's third-party registration serves only tenants on the app's Activepieces.
        carol = RecordingUser(Person(canaries.app, "carol"), alice.site, canaries)
        sign_in_at_acme(canaries, carol, carol.links(), acme)
        connect_with_one_click(alice, integration)
        use_mcp(canaries, alice, integration, server)
        cause_failures(canaries, alice, integration, server)
    for request in server.token_requests:
        for name, value in parse_qsl(request.body):
            if name in ("code", "client_secret", "code_verifier"):
                canaries.plant(value)


def set_up(canaries: CanaryRun, alice: RecordingUser, server: ActivepiecesServer) -> str:
    own_key = canaries.plant(add_api_key(server.state, server.platform_id, "own")[1])
    token = canaries.plant(server.user_token())
    alice.posts("/setup", {"apiKey": canaries.plant("sk-canary-of-a-wrong-key")})
    alice.posts("/setup", {"userToken": canaries.plant("canary.wrong.token")})
    alice.posts("/setup", {"email": server.email, "password": canaries.plant("canary-wrong-password")})
    alice.posts("/setup", {"apiKey": canaries.plant("canary key with spaces")})
    alice.posts("/setup", {"apiKey": {"nested": canaries.plant("canary-in-an-object")}})
    integration = alice.links(apiKey=own_key, projectId=server.project_id)
    alice.patches(f"/setup/{integration}", {"email": server.email, "password": server.password})
    alice.patches(f"/setup/{integration}", {"userToken": token})
    alice.patches(f"/setup/{integration}", {"apiKey": "sk-canary-of-a-wrong-key"})
    for path in ("/setup", f"/setup/{integration}", f"/integration-tenant/{integration}"):
        alice.gets(path)
    return integration


def save_connections(canaries: CanaryRun, alice: RecordingUser, integration: str) -> None:
    values: list[tuple[str, dict[str, Any]]] = [
        ("secret", {"type": "SECRET_TEXT", "secret_text": canaries.plant("ok-canary-text")}),
        ("secret", {"type": "SECRET_TEXT", "secret_text": canaries.plant("no-canary-refused")}),
        (
            "basic",
            {
                "type": "BASIC_AUTH",
                "username": canaries.plant("canary-user-name"),
                "password": canaries.plant("canary-password"),
            },
        ),
        ("custom", {"type": "CUSTOM_AUTH", "props": {"token": canaries.plant("canary-property")}}),
        ("custom", {"type": "CUSTOM_AUTH", "props": canaries.plant("canary-of-a-wrong-kind")}),
        (
            "oauth",
            {
                "type": "OAUTH2",
                "client_id": "id",
                "client_secret": canaries.plant("canary-client-secret"),
                "code": canaries.plant("canary-code"),
                "redirect_url": "https://app.test/cb",
                "code_challenge": canaries.plant("canary-verifier"),
            },
        ),
        ("none", {"type": "NO_AUTH", "extra": canaries.plant("canary-not-known")}),
        ("gone", {"type": "SECRET_TEXT", "secret_text": canaries.plant("ok-canary-no-piece")}),
    ]
    for piece, value in values:
        body = {"value": value, "connectionName": piece, "pieceName": ACME + piece}
        alice.posts("/connection", body)
    alice.posts("/connection", {"accessToken": canaries.plant("ok-canary-short"), "pieceName": PIECE})
    alice.posts("/connection", {"accessToken": canaries.plant("canary-nul\0"), "pieceName": PIECE})
    for connection in answer_of(alice.gets(f"/connections/{integration}"))["data"]:
        path = f"/connections/{integration}/{connection['id']}"
        alice.gets(path)
        alice.patches(path, {"displayName": "Renamed"})


def sign_in_at_acme(canaries: CanaryRun, carol: RecordingUser, integration: str, acme: TokenEndpoint) -> None:
    tokens = {
        "access_token": canaries.plant("canary-access-token"),
        "refresh_token": canaries.plant("canary-refresh-token"),
    }
    refusal = {"error": "invalid_grant", "error_description": "no"}
    acme.reply_with(Reply(tokens), Reply(refusal, status=400))
    for code in ("canary-code-of-acme", "canary-code-refused"):
        page = Page(carol.gets(f"/connections/{integration}/oauth2/start", pieceName=f"{ACME}oauth"))
        form = page.form("page_token")
        answer = carol.person.browser.post(form.action, data=form.values, base_url=carol.site)
        authorization = parse_qs(urlsplit(answer.location).query)
        (state,) = authorization["state"]
        carol.gets("/oauth2/callback", state=canaries.plant(state), code=canaries.plant(code))
        carol.gets("/oauth2/callback", state=state, code=code)
    for request in acme.received:
        for verifier in parse_qs(request.body).get("code_verifier", []):
            canaries.plant(verifier)


def connect_with_one_click(alice: RecordingUser, integration: str) -> None:
    assert alice.posts(f"/connections/{integration}/connect").status_code == 201
    site, alice.site = alice.site, "http://localhost:9"
    assert alice.posts(f"/connections/{integration}/connect").status_code == 422
    alice.site = site


def use_mcp(canaries: CanaryRun, alice: RecordingUser, integration: str, server: ActivepiecesServer) -> None:
    assert alice.gets(f"/mcp/{integration}").status_code == 200
    canaries.plant(mcp_token(server))
    assert alice.posts(f"/mcp/{integration}/rotate").status_code == 200
    canaries.plant(mcp_token(server))


def mcp_token(server: ActivepiecesServer) -> str:
    (row,) = [row for row in server.state.store.all("mcp_server") if row.get("projectId")]
    return str(row["token"])


def cause_failures(canaries: CanaryRun, alice: RecordingUser, integration: str, server: ActivepiecesServer) -> None:
    path, connections = f"/connections/{integration}", "/app-connections"
    body = {"accessToken": canaries.plant("ok-canary-in-trouble"), "pieceName": PIECE}
    faults = server.faults
    for method in ("GET", "POST"):
        for inject in (faults.reset_connection, faults.drop_response, faults.truncate_body, faults.invalid_json):
            inject(method, connections, times=None)
            alice.gets(path)
            alice.posts("/connection", body | {"connectionName": inject.__name__ + method})
            faults.clear()
    faults.delay("POST", connections, 9, times=None)
    alice.posts("/connection", body | {"connectionName": "slow"})
    faults.clear()
    with database_away(canaries.app):
        alice.posts("/connection", body)
        alice.gets(path)
    alice.patches(f"/setup/{integration}", {"enabled": False})
    alice.posts("/connection", body)
    alice.patches(f"/setup/{integration}", {"enabled": True})


def test_no_secret_is_in_a_log(canaries: CanaryRun) -> None:
    assert "urllib3" in canaries.log, "the log must include the libraries"
    assert len(canaries.secrets) > 30
    assert not canaries.found_in(canaries.log)


def test_no_secret_is_in_an_answer(canaries: CanaryRun) -> None:
    assert len(canaries.answers) > 50
    for answer in canaries.answers:
        assert not canaries.found_in(answer), answer


def test_no_secret_is_in_a_signal_or_an_audit_row(canaries: CanaryRun) -> None:
    assert len(canaries.events) > 5
    assert not canaries.found_in(" ".join(canaries.events))
    assert not canaries.found_in(str(rows_of(canaries.app, "audit_events")))


def test_no_secret_is_in_a_repr(canaries: CanaryRun) -> None:
    representations = [repr(value) for value in reachable_objects(get_state(canaries.app))]

    assert len(representations) > 20
    assert not canaries.found_in(" ".join(representations))


def test_no_secret_is_in_the_files_of_the_database(canaries: CanaryRun) -> None:
    """The files still contain deleted and overwritten data until SQLite reuses the space."""
    engine_of(canaries.app).dispose()
    files = [path for path in canaries.folder.iterdir() if path.name.startswith("host.sqlite")]

    assert files
    for path in files:
        content = path.read_bytes()
        assert {secret for secret in canaries.secrets if secret.encode() in content} == set(), path
