"""A client deleted between two queries: nothing is stored for it, and the caller gets an error."""

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

Action = Callable[[State, OAuthClient], object]
ACTIONS: dict[str, Action] = {
    "update": lambda state, client: state.oauth_clients.update(client, replace(client.registration(), name="New")),
    "rotate": lambda state, client: state.oauth_clients.rotate_secret(client),
    "disable": lambda state, client: state.oauth_clients.set_enabled(client, False),
    "delete": lambda state, client: state.oauth_clients.delete(client),
    "approve": lambda state, client: state.grants.approve(client, BOB, WORKSPACE, ["tasks:read"]),
}


class SlowHost(SmallHost):
    """Runs an action while it determines the workspaces."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = lambda: None

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        self.meanwhile()
        return super().workspaces(principal)


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_stored_for_a_deleted_client(app: Flask, program: Program, action: str) -> None:
    with app.app_context():
        state = get_state()
        client = state.oauth_clients.find_by_id(program.client_id)
        assert client is not None
        state.oauth_clients.delete(client)
        before = row_counts(app)

        with pytest.raises(NotFound) as caught:
            ACTIONS[action](state, client)

    assert caught.value.identifier == program.client_id
    assert row_counts(app) == before


@pytest.mark.parametrize("connected_before", [False, True])
def test_approving_an_app_deleted_in_the_meantime_is_not_found(make_app: MakeApp, connected_before: bool) -> None:
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
