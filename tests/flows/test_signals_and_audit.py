"""What happens is written down in the same transaction, and announced once after its commit."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from flask_activepieces import signals
from flask_activepieces.storage import tables
from flask_activepieces.storage.audit import Event
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.clock import START, StoppedClock
from tests.support.storage import rows_of


@dataclass
class Scene:
    """Who is there when something happens; Bob is connected and his code is kept."""

    app: Flask
    program: Program
    bob: Person
    code: str
    pair: dict[str, Any]

    def manages(self, *words: str) -> None:
        done = self.app.test_cli_runner().invoke(args=["activepieces", *words])
        assert done.exit_code == 0, done.output

    def refreshes_thrice(self) -> None:
        second = answer_of(self.program.refreshes(self.pair["refresh_token"]))
        answer_of(self.program.refreshes(second["refresh_token"]))
        self.program.refreshes(self.pair["refresh_token"])

    def buys_for_itself(self) -> None:
        own = Program.registered(self.app, "--client-credentials", "--tenant", "acme")
        answer_of(own.posts("/oauth/token", {"grant_type": "client_credentials"}))

    def suspends_and_enables(self) -> None:
        self.manages("client", "disable", self.program.client_id)
        self.manages("client", "enable", self.program.client_id)

    def renames(self) -> None:
        alice = Person(self.app, "alice")
        api = "/api/integration/activepieces/oauth-clients"
        body = {"name": "Mine", "redirect_uris": ["https://mine.test/"], "scope": "tasks:read"}
        made = alice.browser.post(api, json=body).get_json()
        alice.browser.patch(f"{api}/{made['client_id']}", json={"name": "Yours"})


@pytest.fixture
def scene(app: Flask, trusted: Program, bob: Person) -> Scene:
    code = bob.allows(trusted.question())
    return Scene(app, trusted, bob, code, answer_of(trusted.redeems(code)))


@contextmanager
def listening(app: Flask) -> Iterator[list[Event]]:
    """Collects every event that the app announces."""
    heard: list[Event] = []

    def listen(sender: Flask, event: Event) -> None:
        heard.append(event)

    for signal in signals.BY_NAME.values():
        signal.connect(listen, app)
    try:
        yield heard
    finally:
        for signal in signals.BY_NAME.values():
            signal.disconnect(listen, app)


#: Recorded in the row of the token family, and so not in the audit (see below).
IN_FAMILY = {"token.issued", "token.refreshed"}
WHOSE = ("tenant_id", "user_id", "client_id", "grant_id", "family_id")

#: What brings the event about, what the event tells besides, and of whom it tells.
HAPPENINGS: dict[str, tuple[Callable[[Scene], object], dict[str, str], set[str]]] = {
    "client.created": (
        lambda scene: Program.registered(scene.app),
        {"client": "Program"},
        {"client_id"},
    ),
    "client.updated": (Scene.renames, {"client": "Mine"}, {"client_id", "tenant_id"}),
    "client.disabled": (
        lambda scene: scene.manages("client", "disable", scene.program.client_id),
        {"client": "Program"},
        {"client_id"},
    ),
    "client.enabled": (Scene.suspends_and_enables, {"client": "Program"}, {"client_id"}),
    "client.secret_rotated": (
        lambda scene: scene.manages("client", "rotate", scene.program.client_id),
        {"client": "Program"},
        {"client_id"},
    ),
    "client.deleted": (
        lambda scene: scene.manages("client", "delete", scene.program.client_id, "--yes"),
        {"client": "Program"},
        {"client_id"},
    ),
    "grant.approved": (
        lambda scene: scene.bob.allows(scene.program.question(prompt="consent")),
        {"scope": "profile:read tasks:read tasks:write"},
        {"tenant_id", "user_id", "client_id", "grant_id"},
    ),
    "grant.denied": (
        lambda scene: scene.bob.answers(scene.program.question(prompt="consent"), "deny"),
        {},
        {"tenant_id", "user_id", "client_id"},
    ),
    "grant.revoked": (
        lambda scene: scene.bob.sends(scene.bob.sees("/oauth/connected-apps").forms[0]),
        {"reason": "disconnected by the user"},
        {"tenant_id", "user_id", "client_id", "grant_id"},
    ),
    "token.issued": (
        lambda scene: scene.program.redeems(
            brought_back(scene.bob.opens(scene.program.question()))["code"]
        ),
        {},
        set(WHOSE),
    ),
    "token.refreshed": (
        lambda scene: scene.program.refreshes(scene.pair["refresh_token"]),
        {},
        set(WHOSE),
    ),
    "token.revoked": (
        lambda scene: scene.program.revokes(scene.pair["refresh_token"]),
        {},
        set(WHOSE),
    ),
    "code.replayed": (lambda scene: scene.program.redeems(scene.code), {}, set(WHOSE)),
    "refresh.replayed": (Scene.refreshes_thrice, {}, set(WHOSE)),
}


@pytest.mark.parametrize("name", HAPPENINGS)
def test_an_event_is_announced_once_and_has_its_row(scene: Scene, name: str) -> None:
    act, detail, of_whom = HAPPENINGS[name]
    before = len(rows_of(scene.app, "audit_events"))

    with listening(scene.app) as heard:
        act(scene)

    (event,) = [event for event in heard if event.name == name]
    rows = [row for row in rows_of(scene.app, "audit_events")[before:] if row["name"] == name]
    assert event.at == START
    assert dict(event.detail) == detail
    assert {field for field in WHOSE if getattr(event, field) is not None} == of_whom
    if name in IN_FAMILY:
        assert rows == []
        return
    assert [{field: row[field] for field in WHOSE} for row in rows] == [
        {field: getattr(event, field) for field in WHOSE}
    ]
    assert json.loads(rows[0]["detail"]) == detail
    assert rows[0]["at"] == START


def test_who_is_told_can_already_see_what_happened(scene: Scene) -> None:
    """After the commit, not before: a listener may look the thing up."""
    seen: list[int] = []

    def look(sender: Flask, event: Event) -> None:
        found = [row for row in rows_of(sender, "grants") if row["id"] == event.grant_id]
        seen.append(len(found))

    with signals.grant_approved.connected_to(look, scene.app):
        scene.bob.allows(scene.program.question(prompt="consent"))
    with signals.grant_revoked.connected_to(look, scene.app):
        scene.bob.sends(scene.bob.sees("/oauth/connected-apps").forms[0])

    assert seen == [1, 0]


def test_a_clients_own_tokens_are_announced_as_such(scene: Scene) -> None:
    with listening(scene.app) as heard:
        scene.buys_for_itself()

    issued = next(event for event in heard if event.name == "token.issued")
    assert dict(issued.detail) == {"grant_type": "client_credentials"}
    assert (issued.tenant_id, issued.user_id, issued.grant_id) == ("acme", None, None)


def test_what_was_allowed_before_is_not_announced_as_allowed_again(scene: Scene) -> None:
    with listening(scene.app) as heard:
        brought_back(scene.bob.opens(scene.program.question()))

    assert heard == []


@pytest.mark.parametrize(
    "act",
    [
        lambda scene: scene.program.refreshes("no.0.such.token"),
        lambda scene: scene.program.redeems("v1.no.code"),
        lambda scene: scene.program.redeems(scene.code, client_secret="wrong"),
        lambda scene: scene.bob.opens(scene.program.question(redirect_uri="https://evil.test/")),
        lambda scene: scene.program.revokes("no token"),
        lambda scene: scene.program.introspects(scene.pair["access_token"]),
        lambda scene: scene.program.calls(scene.pair["access_token"]),
    ],
)
def test_what_changes_nothing_announces_nothing(
    scene: Scene, act: Callable[[Scene], object]
) -> None:
    before = rows_of(scene.app, "audit_events")

    with listening(scene.app) as heard:
        act(scene)

    assert heard == []
    assert rows_of(scene.app, "audit_events") == before


def test_the_row_of_a_family_says_how_often_and_when_it_was_refreshed(
    scene: Scene, clock: StoppedClock
) -> None:
    token = scene.pair["refresh_token"]
    with listening(scene.app) as heard:
        for _ in range(3):
            clock.advance(hours=1)
            token = answer_of(scene.program.refreshes(token))["refresh_token"]

    (row,) = rows_of(scene.app, "token_families")
    assert {row["id"]} == {event.family_id for event in heard}
    for field in ("tenant_id", "user_id", "client_id", "grant_id"):
        assert {row[field]} == {getattr(event, field) for event in heard}
    assert row["refresh_count"] == 3
    assert (row["created_at"], row["rotated_at"]) == (START, START + 3 * 3600)
    assert [event.at for event in heard] == [START + 3600 * hour for hour in (1, 2, 3)]


def test_a_repeated_answer_is_not_counted(scene: Scene) -> None:
    with listening(scene.app) as heard:
        for _ in range(3):
            answer_of(scene.program.refreshes(scene.pair["refresh_token"]))

    (row,) = rows_of(scene.app, "token_families")
    assert row["refresh_count"] == 1
    assert len(heard) == 1


def test_each_connection_counts_for_itself(scene: Scene) -> None:
    code = brought_back(scene.bob.opens(scene.program.question()))["code"]
    other = answer_of(scene.program.redeems(code))
    for pair in (scene.pair, other):
        answer_of(scene.program.refreshes(pair["refresh_token"]))

    assert [row["refresh_count"] for row in rows_of(scene.app, "token_families")] == [1, 1]


def test_a_failing_listener_changes_nothing_and_is_logged(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(sender: Flask, event: Event) -> None:
        raise RuntimeError("the host's mail server is down")

    with (
        signals.token_refreshed.connected_to(fail, scene.app),
        caplog.at_level(logging.ERROR, "flask_activepieces"),
    ):
        pair = answer_of(scene.program.refreshes(scene.pair["refresh_token"]))

    assert scene.program.calls(pair["access_token"]).status_code == 200
    assert [record.message for record in caplog.records] == [
        "A listener of token.refreshed failed."
    ]
    assert "the host's mail server is down" in caplog.text
    assert pair["refresh_token"] not in caplog.text


def test_a_failing_listener_keeps_no_other_from_hearing(scene: Scene) -> None:
    heard: list[str] = []

    def fail(sender: Flask, event: Event) -> None:
        raise RuntimeError

    def listen(sender: Flask, event: Event) -> None:
        heard.append(event.name)

    signal = signals.token_refreshed
    with (
        signal.connected_to(fail, scene.app),
        signal.connected_to(listen, scene.app),
        signal.connected_to(lambda sender, event: fail(sender, event), scene.app),
    ):
        scene.program.refreshes(scene.pair["refresh_token"])

    assert heard == ["token.refreshed"]


def given_out(scene: Scene) -> list[str]:
    """Every secret that left the server during a connection's life."""
    second = answer_of(scene.program.refreshes(scene.pair["refresh_token"]))
    pairs = [
        pair[name] for pair in (scene.pair, second) for name in ("access_token", "refresh_token")
    ]
    return [str(scene.program.client_secret), scene.code, *pairs]


def test_nothing_stored_is_a_secret_a_code_or_a_token(scene: Scene) -> None:
    """A copy of the database opens nothing, and neither does the audit."""
    secrets = given_out(scene)

    names = [table.name.removeprefix("activepieces_") for table in tables.metadata.sorted_tables]
    stored = "".join(str(rows_of(scene.app, name)) for name in names)

    for secret in secrets:
        assert secret not in stored
        assert secret.rpartition(".")[2] not in stored


def test_nothing_logged_is_a_secret_a_code_or_a_token(
    app: Flask, bob: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """Also at the finest level, also where something goes wrong; the database's own log is the host's affair."""
    with caplog.at_level(logging.DEBUG):
        program = Program.registered(app)
        code = bob.allows(program.question())
        scene = Scene(app, program, bob, code, answer_of(program.redeems(code)))
        secrets = given_out(scene)
        program.redeems(code)
        program.refreshes(scene.pair["refresh_token"])
        program.calls(scene.pair["access_token"])

    for secret in secrets:
        assert secret not in caplog.text
