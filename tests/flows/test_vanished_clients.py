"""A client that is deleted between two looks at it: nothing is written for it, and whoever asked is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from flask import Flask

from flask_activepieces import Principal, Workspace
from flask_activepieces.errors import NotFound
from flask_activepieces.oauth.clients import store as clients
from flask_activepieces.oauth.clients.store import OAuthClient
from flask_activepieces.state import State, get_state
from flask_activepieces.storage.database import Transaction
from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.hosts import SmallHost
from tests.support.refusals import told_on_a_page
from tests.support.storage import row_counts, rows_of

BOB = Principal("bob", "acme", "bob")
WORKSPACE = Workspace("acme", "Acme")

Act = Callable[[State, Transaction, OAuthClient], object]
ACTS: dict[str, Act] = {
    "change": lambda state, transaction, client: state.clients.change(
        transaction, client, replace(client.registration(), name="New"), now=0
    ),
    "rotate": lambda state, transaction, client: state.clients.rotate_secret(
        transaction, client, clients.new_secret(), now=0
    ),
    "delete": lambda state, transaction, client: state.clients.delete(transaction, client, now=0),
    "approve": lambda state, transaction, client: state.grants.allow(
        transaction, client, BOB, WORKSPACE, ["tasks:read"], now=0
    ),
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
        client = state.database.read(lambda c: clients.find_any(c, program.client_id))
        assert client is not None
        state.database.run_in_transaction(lambda t: state.clients.delete(t, client, now=0))
        before = row_counts(app)

        with pytest.raises(NotFound) as caught:
            state.database.run_in_transaction(lambda t: ACTS[act](state, t, client))

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

    told_on_a_page(bob.sends(form, decision="approve"), 404)

    assert rows_of(app, "grants") == []
