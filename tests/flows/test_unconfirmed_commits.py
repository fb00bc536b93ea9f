"""A COMMIT without a confirmation is repeated: the client exists once, and the returned secret is valid."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.api_user import ApiUser
from tests.support.clock import StoppedClock
from tests.support.document_clients import Site, agent, key_agent
from tests.support.hosts import ALL_SCOPES
from tests.support.pages import Form
from tests.support.storage import commit_unconfirmed, rows_of


def secret_from_api(app: Flask, path: str, body: dict[str, Any], status: int) -> str:
    answer = ApiUser.named(app, "alice").posts(f"/oauth-clients{path}", body)
    return str(answer_of(answer, status)["client_secret"])


def secret_from_page(alice: Person, form: Form, **changes: Any) -> str:
    data = form.values | changes
    page = alice.browser.post(form.action, data=data, follow_redirects=True)
    (secret,) = set(re.findall(r"fas_[0-9a-f]{64}", page.text))
    return str(secret)


def secret_from_cli(app: Flask, *arguments: str) -> str:
    client = ["activepieces", "client", *arguments, "--json"]
    result = app.test_cli_runner().invoke(args=client)
    return str(json.loads(result.stdout)["client_secret"])


def rotate_on_page(app: Flask, client_id: str) -> str:
    alice = Person(app, "alice")
    return secret_from_page(alice, alice.sees(f"/automation/clients/{client_id}").form_to("/rotate"))


def create_on_page(app: Flask) -> str:
    alice = Person(app, "alice")
    form = alice.sees("/automation/clients/new").form("name")
    return secret_from_page(alice, form, name="Once", redirect_uris=CALLBACK, scope=ALL_SCOPES.split())


def test_a_client_that_registers_itself_exists_once(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_DYNAMIC_REGISTRATION=True)

    with commit_unconfirmed(app):
        made = answer_of(app.test_client().post("/oauth/register", json={"redirect_uris": [CALLBACK]}), 201)

    assert [row["client_id"] for row in rows_of(app, "oauth_clients")] == [made["client_id"]]
    program = Program(app, made["client_id"], made["client_secret"])
    assert answer_of(program.redeems(Person(app, "bob").allows(program.question())))["access_token"]


def test_a_client_with_a_document_exists_once(agent_app: Flask, agent_site: Site) -> None:
    robin = agent(agent_app, agent_site)
    robert = Person(agent_app, "bob")

    with commit_unconfirmed(agent_app):
        assert robert.sees(robin.question()).status == 200

    assert len(rows_of(agent_app, "oauth_clients")) == 1
    assert rows_of(agent_app, "leases") == []


def test_an_assertion_that_was_stored_is_not_refused(agent_app: Flask, agent_site: Site, clock: StoppedClock) -> None:
    robin = key_agent(agent_app, agent_site, now=clock.now)
    code = Person(agent_app, "bob").allows(robin.question())

    with commit_unconfirmed(agent_app):
        assert answer_of(robin.redeems(code))["access_token"]


ROTATIONS: dict[str, Callable[[Flask, str], str]] = {
    "the API": lambda app, client_id: secret_from_api(app, f"/{client_id}/rotate", {}, 200),
    "the page": rotate_on_page,
    "the command": lambda app, client_id: secret_from_cli(app, "rotate", client_id),
}
REGISTRATION = {"name": "Once", "redirect_uris": [CALLBACK], "scope": ALL_SCOPES}
CREATIONS: dict[str, Callable[[Flask], str]] = {
    "the API": lambda app: secret_from_api(app, "", REGISTRATION, 201),
    "the page": create_on_page,
    "the command": lambda app: secret_from_cli(
        app, "create", "--name", "Once", "--redirect-uri", CALLBACK, "--scope", "tasks:read"
    ),
}


@pytest.mark.parametrize("interface", ROTATIONS)
def test_an_unconfirmed_rotation_keeps_the_old_secret_valid(app: Flask, bob: Person, interface: str) -> None:
    program = Program.registered(app, "--tenant", "acme")
    token = program.connects(bob)["refresh_token"]

    with commit_unconfirmed(app):
        new = ROTATIONS[interface](app, program.client_id)

    for secret in (program.client_secret, new):
        token = answer_of(replace(program, client_secret=secret).refreshes(token))["refresh_token"]
    assert event_names(app).count("client.secret_rotated") == 1


@pytest.mark.parametrize("interface", CREATIONS)
def test_an_unconfirmed_registration_creates_one_client(app: Flask, bob: Person, interface: str) -> None:
    with commit_unconfirmed(app):
        secret = CREATIONS[interface](app)

    (client,) = rows_of(app, "oauth_clients")
    program = Program(app, client["client_id"], secret)
    code = bob.allows(program.question(scope="tasks:read"))
    assert program.redeems(code).status_code == 200
    assert event_names(app).count("client.created") == 1


def event_names(app: Flask) -> list[str]:
    return [row["name"] for row in rows_of(app, "audit_events")]
