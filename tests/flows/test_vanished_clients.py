"""A client that is deleted between two looks at it: nothing is written for it, and whoever asked is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from flask import Flask

from flask_activepieces import Principal, Workspace
from flask_activepieces.errors import NotFound
from flask_activepieces.oauth.clients.client import OAuthClient
from flask_activepieces.state import State, get_state
from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.error_assertions import assert_error_page
from tests.support.hosts import SmallHost
from tests.support.storage import row_counts, rows_of

BOB = Principal("bob", "acme", "bob")
WORKSPACE = Workspace("acme", "Acme")

Act = Callable[[State, OAuthClient], object]
ACTS: dict[str, Act] = {
    "update": lambda state, client: state.oauth_clients.update(
        client, replace(client.registration(), name="New")
    ),
    "rotate": lambda state, client: state.oauth_clients.rotate_secret(client),
    "disable": lambda state, client: state.oauth_clients.set_enabled(client, False),
    "delete": lambda state, client: state.oauth_clients.delete(client),
    "approve": lambda state, client: state.grants.approve(client, BOB, WORKSPACE, ["tasks:read"]),
}


class SlowHost(SmallHost):
    """Takes its time to find workspaces, and meanwhile this happens."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = lambda: None

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        self.meanwhile()
        return super().workspaces(principal)


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_written_for_a_client_that_is_gone(
    app: Flask, program: Program, act: str
) -> None:
    with app.app_context():
        state = get_state()
        client = state.oauth_clients.find_by_id(program.client_id)
        assert client is not None
        state.oauth_clients.delete(client)
        before = row_counts(app)

        with pytest.raises(NotFound) as caught:
            ACTS[act](state, client)

    assert caught.value.identifier == program.client_id
    assert row_counts(app) == before


@pytest.mark.parametrize("connected_before", [False, True])
def test_an_approval_of_an_app_that_is_being_deleted_is_not_found(
    make_app: MakeApp, connected_before: bool
) -> None:
    host = SlowHost()
    app = make_app(host=host)
    program, bob = Program.registered(app), Person(app, "bob")
    if connected_before:
        program.connects(bob)
    form = bob.sees(program.question(prompt="consent")).form("decision")
    delete = ["activepieces", "client", "delete", program.client_id, "--yes"]
    host.meanwhile = lambda: app.test_cli_runner().invoke(args=delete)

    assert_error_page(bob.sends(form, decision="approve"), 404)

    assert rows_of(app, "grants") == []
