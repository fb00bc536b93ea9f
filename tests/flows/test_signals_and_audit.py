"""Every event is recorded in its transaction and sent as a signal once, after the commit."""

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
from tests.support.pieces import create_token
from tests.support.storage import rows_of


@dataclass
class Scene:
    """An app, a program and Bob, who is connected to it; his redeemed code is kept."""

    app: Flask
    program: Program
    bob: Person
    code: str
    pair: dict[str, Any]

    def run_cli(self, *arguments: str) -> None:
        result = self.app.test_cli_runner().invoke(args=["activepieces", *arguments])
        assert result.exit_code == 0, result.output

    def reuse_a_refresh_token(self) -> None:
        second = answer_of(self.program.refreshes(self.pair["refresh_token"]))
        answer_of(self.program.refreshes(second["refresh_token"]))
        self.program.refreshes(self.pair["refresh_token"])

    def get_client_credentials_token(self) -> None:
        client = Program.registered(self.app, "--client-credentials", "--tenant", "acme")
        answer_of(client.posts("/oauth/token", {"grant_type": "client_credentials"}))

    def disable_and_enable_client(self) -> None:
        self.run_cli("client", "disable", self.program.client_id)
        self.run_cli("client", "enable", self.program.client_id)

    def create_and_revoke_token(self) -> None:
        create_token(self.bob)
        (form,) = [form for form in self.bob.sees("/oauth/connected-apps").forms if "personal" in form.action]
        self.bob.sends(form)

    def rename_client(self) -> None:
        alice = Person(self.app, "alice")
        api = "/api/integration/activepieces/oauth-clients"
        body = {"name": "Mine", "redirect_uris": ["https://mine.test/"], "scope": "tasks:read"}
        created = alice.browser.post(api, json=body).get_json()
        alice.browser.patch(f"{api}/{created['client_id']}", json={"name": "Yours"})


@pytest.fixture
def scene(app: Flask, trusted: Program, bob: Person) -> Scene:
    code = bob.allows(trusted.question())
    return Scene(app, trusted, bob, code, answer_of(trusted.redeems(code)))


@contextmanager
def recorded_signals(app: Flask) -> Iterator[list[Event]]:
    """Collect every event that the app sends."""
    received: list[Event] = []

    def listen(sender: Flask, event: Event) -> None:
        received.append(event)

    for signal in signals.BY_NAME.values():
        signal.connect(listen, app)
    try:
        yield received
    finally:
        for signal in signals.BY_NAME.values():
            signal.disconnect(listen, app)


#: Recorded in the token family's row, and therefore not in the audit (see below).
RECORDED_IN_FAMILY = {"token.issued", "token.refreshed"}
ID_FIELDS = ("tenant_id", "user_id", "client_id", "grant_id", "family_id")

#: By event: the action that causes it, its detail, and the ids that it has.
EVENTS: dict[str, tuple[Callable[[Scene], object], dict[str, str], set[str]]] = {
    "client.created": (lambda scene: Program.registered(scene.app), {"client": "Program"}, {"client_id"}),
    "client.updated": (Scene.rename_client, {"client": "Mine"}, {"client_id", "tenant_id", "user_id"}),
    "client.disabled": (
        lambda scene: scene.run_cli("client", "disable", scene.program.client_id),
        {"client": "Program"},
        {"client_id"},
    ),
    "client.enabled": (Scene.disable_and_enable_client, {"client": "Program"}, {"client_id"}),
    "client.secret_rotated": (
        lambda scene: scene.run_cli("client", "rotate", scene.program.client_id),
        {"client": "Program"},
        {"client_id"},
    ),
    "client.deleted": (
        lambda scene: scene.run_cli("client", "delete", scene.program.client_id, "--yes"),
        {"client": "Program"},
        {"client_id"},
    ),
    "client_policy.changed": (
        lambda scene: scene.run_cli("client-policy", "set", "acme", "--allow", "none"),
        {"mode": "none", "hosts": ""},
        {"tenant_id"},
    ),
    "grant.approved": (
        lambda scene: scene.bob.allows(scene.program.question(prompt="consent")),
        {"client": "Program", "scope": "profile:read tasks:read tasks:write"},
        {"tenant_id", "user_id", "client_id", "grant_id"},
    ),
    "grant.denied": (
        lambda scene: scene.bob.answers(scene.program.question(prompt="consent"), "deny"),
        {"client": "Program"},
        {"tenant_id", "user_id", "client_id"},
    ),
    "grant.revoked": (
        lambda scene: scene.bob.sends(scene.bob.sees("/oauth/connected-apps").forms[0]),
        {"client": "Program", "reason": "disconnected by the user"},
        {"tenant_id", "user_id", "client_id", "grant_id"},
    ),
    "token.issued": (
        lambda scene: scene.program.redeems(brought_back(scene.bob.opens(scene.program.question()))["code"]),
        {},
        set(ID_FIELDS),
    ),
    "token.refreshed": (lambda scene: scene.program.refreshes(scene.pair["refresh_token"]), {}, set(ID_FIELDS)),
    "token.revoked": (
        lambda scene: scene.program.revokes(scene.pair["refresh_token"]),
        {"client": "Program"},
        set(ID_FIELDS),
    ),
    "code.replayed": (lambda scene: scene.program.redeems(scene.code), {"client": "Program"}, set(ID_FIELDS)),
    "refresh.replayed": (Scene.reuse_a_refresh_token, {"client": "Program"}, set(ID_FIELDS)),
    "personal_token.created": (lambda scene: create_token(scene.bob), {"name": "My flow"}, {"tenant_id", "user_id"}),
    "personal_token.revoked": (Scene.create_and_revoke_token, {"name": "My flow"}, {"tenant_id", "user_id"}),
}


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_sent_once_and_has_its_audit_row(scene: Scene, name: str) -> None:
    act, detail, ids = EVENTS[name]
    before = len(rows_of(scene.app, "audit_events"))

    with recorded_signals(scene.app) as received:
        act(scene)

    (event,) = [event for event in received if event.name == name]
    rows = [row for row in rows_of(scene.app, "audit_events")[before:] if row["name"] == name]
    assert event.at == START
    assert dict(event.detail) == detail
    assert {field for field in ID_FIELDS if getattr(event, field) is not None} == ids
    if name in RECORDED_IN_FAMILY:
        assert rows == []
        return
    assert [{field: row[field] for field in ID_FIELDS} for row in rows] == [
        {field: getattr(event, field) for field in ID_FIELDS}
    ]
    assert json.loads(rows[0]["detail"]) == detail
    assert rows[0]["at"] == START


def test_a_listener_already_sees_the_committed_change(scene: Scene) -> None:
    """Signals are sent after the commit, so that a listener can query the database."""
    row_count: list[int] = []

    def count_rows(sender: Flask, event: Event) -> None:
        grants = [row for row in rows_of(sender, "grants") if row["id"] == event.grant_id]
        row_count.append(len(grants))

    with signals.grant_approved.connected_to(count_rows, scene.app):
        scene.bob.allows(scene.program.question(prompt="consent"))
    with signals.grant_revoked.connected_to(count_rows, scene.app):
        scene.bob.sends(scene.bob.sees("/oauth/connected-apps").forms[0])

    assert row_count == [1, 0]


def test_a_client_credentials_token_is_reported_with_its_grant_type(scene: Scene) -> None:
    with recorded_signals(scene.app) as received:
        scene.get_client_credentials_token()

    issued = next(event for event in received if event.name == "token.issued")
    assert dict(issued.detail) == {"grant_type": "client_credentials"}
    assert (issued.tenant_id, issued.user_id, issued.grant_id) == ("acme", None, None)


def test_a_remembered_approval_sends_no_new_event(scene: Scene) -> None:
    with recorded_signals(scene.app) as received:
        brought_back(scene.bob.opens(scene.program.question()))

    assert received == []


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
def test_a_request_that_changes_nothing_sends_no_event(scene: Scene, act: Callable[[Scene], object]) -> None:
    before = rows_of(scene.app, "audit_events")

    with recorded_signals(scene.app) as received:
        act(scene)

    assert received == []
    assert rows_of(scene.app, "audit_events") == before


def test_a_familys_row_records_when_and_how_often_it_was_refreshed(scene: Scene, clock: StoppedClock) -> None:
    token = scene.pair["refresh_token"]
    with recorded_signals(scene.app) as received:
        for _ in range(3):
            clock.advance(hours=1)
            token = answer_of(scene.program.refreshes(token))["refresh_token"]

    (row,) = rows_of(scene.app, "token_families")
    assert {row["id"]} == {event.family_id for event in received}
    for field in ("tenant_id", "user_id", "client_id", "grant_id"):
        assert {row[field]} == {getattr(event, field) for event in received}
    assert row["refresh_count"] == 3
    assert (row["created_at"], row["rotated_at"]) == (START, START + 3 * 3600)
    assert [event.at for event in received] == [START + 3600 * hour for hour in (1, 2, 3)]


def test_a_repeated_answer_is_not_counted(scene: Scene) -> None:
    with recorded_signals(scene.app) as received:
        for _ in range(3):
            answer_of(scene.program.refreshes(scene.pair["refresh_token"]))

    (row,) = rows_of(scene.app, "token_families")
    assert row["refresh_count"] == 1
    assert len(received) == 1


def test_each_token_family_counts_its_own_refreshes(scene: Scene) -> None:
    code = brought_back(scene.bob.opens(scene.program.question()))["code"]
    other = answer_of(scene.program.redeems(code))
    for pair in (scene.pair, other):
        answer_of(scene.program.refreshes(pair["refresh_token"]))

    assert [row["refresh_count"] for row in rows_of(scene.app, "token_families")] == [1, 1]


def test_a_failing_listener_changes_nothing_and_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def fail(sender: Flask, event: Event) -> None:
        raise RuntimeError("the host's mail server is down")

    with signals.token_refreshed.connected_to(fail, scene.app), caplog.at_level(logging.ERROR, "flask_activepieces"):
        pair = answer_of(scene.program.refreshes(scene.pair["refresh_token"]))

    assert scene.program.calls(pair["access_token"]).status_code == 200
    assert [record.message for record in caplog.records] == ["A listener of token.refreshed failed."]
    assert "the host's mail server is down" in caplog.text
    assert pair["refresh_token"] not in caplog.text


def test_a_failing_listener_does_not_stop_the_others(scene: Scene) -> None:
    received: list[str] = []

    def fail(sender: Flask, event: Event) -> None:
        raise RuntimeError

    def listen(sender: Flask, event: Event) -> None:
        received.append(event.name)

    signal = signals.token_refreshed
    with (
        signal.connected_to(fail, scene.app),
        signal.connected_to(listen, scene.app),
        signal.connected_to(lambda sender, event: fail(sender, event), scene.app),
    ):
        scene.program.refreshes(scene.pair["refresh_token"])

    assert received == ["token.refreshed"]


def issued_secrets(scene: Scene) -> list[str]:
    """Every secret that the server issued, including those of one refresh."""
    second = answer_of(scene.program.refreshes(scene.pair["refresh_token"]))
    pairs = [pair[name] for pair in (scene.pair, second) for name in ("access_token", "refresh_token")]
    return [str(scene.program.client_secret), scene.code, *pairs]


def test_no_secret_code_or_token_is_stored(scene: Scene) -> None:
    """A stolen copy of the database, or of its audit, grants no access."""
    secrets = issued_secrets(scene)

    names = [table.name.removeprefix("activepieces_") for table in tables.metadata.sorted_tables]
    stored = "".join(str(rows_of(scene.app, name)) for name in names)

    for secret in secrets:
        assert secret not in stored
        assert secret.rpartition(".")[2] not in stored


def test_no_secret_code_or_token_is_logged(app: Flask, bob: Person, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG level and after errors, too. The database's log is the host's responsibility."""
    with caplog.at_level(logging.DEBUG):
        program = Program.registered(app)
        code = bob.allows(program.question())
        scene = Scene(app, program, bob, code, answer_of(program.redeems(code)))
        secrets = issued_secrets(scene)
        program.redeems(code)
        program.refreshes(scene.pair["refresh_token"])
        program.calls(scene.pair["access_token"])

    for secret in secrets:
        assert secret not in caplog.text
