"""Planted secrets of a tenant's Activepieces: after everything was done right and wrong, none came out anywhere.

Not in a log of anybody (urllib3's included), a ``repr``, a signal, an audit row, an answer, nor in the database,
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
class Life:
    """What happened, and what must not be seen of it."""

    app: Flask
    folder: Path
    secrets: set[str] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    log: str = ""

    def plants(self, secret: str) -> str:
        assert len(secret) > 8
        self.secrets.add(secret)
        return secret

    def seen_in(self, text: str) -> set[str]:
        return {secret for secret in self.secrets if secret in text}


@dataclass
class Watched(ApiUser):
    """A person whose every answer is kept."""

    life: Life | None = None

    def calls(self, *arguments: Any, **options: Any) -> Any:
        answer = super().calls(*arguments, **options)
        assert self.life is not None
        # The browser's own cookie, and where it is sent with a code, are for nobody else.
        headers = [pair for pair in answer.headers if pair[0] not in ("Set-Cookie", "Location")]
        self.life.answers.append(f"{answer.text} {headers}")
        return answer


class Keeping(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def everything_logged() -> Iterator[list[logging.LogRecord]]:
    """The records of all loggers, down to what only debuggers want to know."""
    root, handler = logging.getLogger(), Keeping()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        yield handler.records
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Everything that the JSON API does with secrets, and everything that can go wrong with it."""
    folder = tmp_path_factory.mktemp("canaries")
    with (
        token_endpoint() as acme,
        ActivepiecesServer(pieces=[*acme_pieces(acme.url), OWN_PIECE]) as server,
        everything_logged() as records,
    ):
        life = Life(make_app(folder, server), folder)
        for secret in (server.api_key, server.password, OUR_SECRET):
            life.plants(secret)
        lives(life, server, acme)
        life.log = " ".join(f"{record.getMessage()} {vars(record)!r}" for record in records)
        yield life
        dispose(life.app)


def make_app(folder: Path, server: ActivepiecesServer) -> Flask:
    return hosts.make_app(
        folder,
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=OWN_PIECE.name,
        ACTIVEPIECES_TIMEOUT=1,
        ACTIVEPIECES_THIRD_PARTY_APPS={
            f"{ACME}oauth": {"client_id": "our-app", "client_secret": OUR_SECRET}
        },
    )


def lives(life: Life, server: ActivepiecesServer, acme: TokenEndpoint) -> None:
    def note(sender: Any, **event: Any) -> None:
        life.told.append(repr(event))

    for signal in signals.BY_NAME.values():
        signal.connect(note, life.app, weak=False)
    with serving(life.app) as site:
        alice = Watched(Person(life.app, "alice"), site.replace("127.0.0.1", "localhost"), life)
        integration = sets_up(life, alice, server)
        saves_connections(life, alice, integration)
        # The app's own registration is for tenants on its own Activepieces.
        carol = Watched(Person(life.app, "carol"), alice.site, life)
        signs_in(life, carol, carol.links(), acme)
        clicks(alice, integration)
        manages_mcp(life, alice, integration, server)
        meets_trouble(life, alice, integration, server)
    for request in server.token_requests:
        for name, value in parse_qsl(request.body):
            if name in ("code", "client_secret", "code_verifier"):
                life.plants(value)


def sets_up(life: Life, alice: Watched, server: ActivepiecesServer) -> str:
    own_key = life.plants(add_api_key(server.state, server.platform_id, "own")[1])
    token = life.plants(server.user_token())
    alice.posts("/setup", {"apiKey": life.plants("sk-canary-of-a-wrong-key")})
    alice.posts("/setup", {"userToken": life.plants("canary.wrong.token")})
    alice.posts("/setup", {"email": server.email, "password": life.plants("canary-wrong-password")})
    alice.posts("/setup", {"apiKey": life.plants("canary key with spaces")})
    alice.posts("/setup", {"apiKey": {"nested": life.plants("canary-in-an-object")}})
    integration = alice.links(apiKey=own_key, projectId=server.project_id)
    alice.patches(f"/setup/{integration}", {"email": server.email, "password": server.password})
    alice.patches(f"/setup/{integration}", {"userToken": token})
    alice.patches(f"/setup/{integration}", {"apiKey": "sk-canary-of-a-wrong-key"})
    for path in ("/setup", f"/setup/{integration}", f"/integration-tenant/{integration}"):
        alice.gets(path)
    return integration


def saves_connections(life: Life, alice: Watched, integration: str) -> None:
    values: list[tuple[str, dict[str, Any]]] = [
        ("secret", {"type": "SECRET_TEXT", "secret_text": life.plants("ok-canary-text")}),
        ("secret", {"type": "SECRET_TEXT", "secret_text": life.plants("no-canary-refused")}),
        (
            "basic",
            {
                "type": "BASIC_AUTH",
                "username": life.plants("canary-user-name"),
                "password": life.plants("canary-password"),
            },
        ),
        ("custom", {"type": "CUSTOM_AUTH", "props": {"token": life.plants("canary-property")}}),
        ("custom", {"type": "CUSTOM_AUTH", "props": life.plants("canary-of-a-wrong-kind")}),
        (
            "oauth",
            {
                "type": "OAUTH2",
                "client_id": "id",
                "client_secret": life.plants("canary-client-secret"),
                "code": life.plants("canary-code"),
                "redirect_url": "https://app.test/cb",
                "code_challenge": life.plants("canary-verifier"),
            },
        ),
        ("none", {"type": "NO_AUTH", "extra": life.plants("canary-not-known")}),
        ("gone", {"type": "SECRET_TEXT", "secret_text": life.plants("ok-canary-no-piece")}),
    ]
    for piece, value in values:
        body = {"value": value, "connectionName": piece, "pieceName": ACME + piece}
        alice.posts("/connection", body)
    alice.posts("/connection", {"accessToken": life.plants("ok-canary-short"), "pieceName": PIECE})
    alice.posts("/connection", {"accessToken": life.plants("canary-nul\0"), "pieceName": PIECE})
    for connection in answer_of(alice.gets(f"/connections/{integration}"))["data"]:
        there = f"/connections/{integration}/{connection['id']}"
        alice.gets(there)
        alice.patches(there, {"displayName": "Renamed"})


def signs_in(life: Life, carol: Watched, integration: str, acme: TokenEndpoint) -> None:
    tokens = {
        "access_token": life.plants("canary-access-token"),
        "refresh_token": life.plants("canary-refresh-token"),
    }
    refusal = {"error": "invalid_grant", "error_description": "no"}
    acme.reply_with(Reply(tokens), Reply(refusal, status=400))
    for code in ("canary-code-of-acme", "canary-code-refused"):
        page = Page(
            carol.gets(f"/connections/{integration}/oauth2/start", pieceName=f"{ACME}oauth")
        )
        form = page.form("page_token")
        answer = carol.person.browser.post(form.action, data=form.values, base_url=carol.site)
        asked = parse_qs(urlsplit(answer.location).query)
        (state,) = asked["state"]
        carol.gets("/oauth2/callback", state=life.plants(state), code=life.plants(code))
        carol.gets("/oauth2/callback", state=state, code=code)
    for heard in acme.received:
        for verifier in parse_qs(heard.body).get("code_verifier", []):
            life.plants(verifier)


def clicks(alice: Watched, integration: str) -> None:
    assert alice.posts(f"/connections/{integration}/connect").status_code == 201
    site, alice.site = alice.site, "http://localhost:9"
    assert alice.posts(f"/connections/{integration}/connect").status_code == 422
    alice.site = site


def manages_mcp(life: Life, alice: Watched, integration: str, server: ActivepiecesServer) -> None:
    assert alice.gets(f"/mcp/{integration}").status_code == 200
    life.plants(mcp_token(server))
    assert alice.posts(f"/mcp/{integration}/rotate").status_code == 200
    life.plants(mcp_token(server))


def mcp_token(server: ActivepiecesServer) -> str:
    (row,) = [row for row in server.state.store.all("mcp_server") if row.get("projectId")]
    return str(row["token"])


def meets_trouble(life: Life, alice: Watched, integration: str, server: ActivepiecesServer) -> None:
    there, connections = f"/connections/{integration}", "/app-connections"
    body = {"accessToken": life.plants("ok-canary-in-trouble"), "pieceName": PIECE}
    faults = server.faults
    for method in ("GET", "POST"):
        for begin in (
            faults.reset_connection,
            faults.drop_response,
            faults.truncate_body,
            faults.invalid_json,
        ):
            begin(method, connections, times=None)
            alice.gets(there)
            alice.posts("/connection", body | {"connectionName": begin.__name__ + method})
            faults.clear()
    faults.delay("POST", connections, 9, times=None)
    alice.posts("/connection", body | {"connectionName": "slow"})
    faults.clear()
    with database_away(life.app):
        alice.posts("/connection", body)
        alice.gets(there)
    alice.patches(f"/setup/{integration}", {"enabled": False})
    alice.posts("/connection", body)
    alice.patches(f"/setup/{integration}", {"enabled": True})


def test_no_secret_is_in_a_log(life: Life) -> None:
    assert "urllib3" in life.log, "the libraries below were listened to as well"
    assert len(life.secrets) > 30
    assert not life.seen_in(life.log)


def test_no_secret_is_in_an_answer(life: Life) -> None:
    assert len(life.answers) > 50
    for answer in life.answers:
        assert not life.seen_in(answer), answer


def test_no_secret_is_in_a_signal_or_an_audit_row(life: Life) -> None:
    assert len(life.told) > 5
    assert not life.seen_in(" ".join(life.told))
    assert not life.seen_in(str(rows_of(life.app, "audit_events")))


def test_no_secret_is_in_a_repr(life: Life) -> None:
    shown = [repr(thing) for thing in reachable_objects(get_state(life.app))]

    assert len(shown) > 20
    assert not life.seen_in(" ".join(shown))


def test_no_secret_is_in_the_files_of_the_database(life: Life) -> None:
    """What was deleted or overwritten is in them as well, until SQLite uses its place."""
    engine_of(life.app).dispose()
    files = [path for path in life.folder.iterdir() if path.name.startswith("host.sqlite")]

    assert files
    for path in files:
        content = path.read_bytes()
        assert {secret for secret in life.secrets if secret.encode() in content} == set(), path
