"""``flask activepieces embedding …``"""

from __future__ import annotations

import json

import pytest
from flask import Flask

from flask_activepieces import Activepieces
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.host.interface import Principal
from flask_activepieces.state import get_state
from flask_activepieces.testing import ActivepiecesServer
from tests.cli.conftest import Run, RunJson
from tests.conftest import MakeApp
from tests.support.api_user import ApiUser
from tests.support.clock import StoppedClock
from tests.support.hosts import SmallHost


class HostWithLeavers(SmallHost):
    """Carol is also a user of Acme until she leaves."""

    def __init__(self) -> None:
        self.carol_has_left = False

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        if (user_id, tenant_id) == ("carol", "acme") and not self.carol_has_left:
            return Principal("carol", "acme", "Carol")
        return super().load_principal(user_id, tenant_id)


@pytest.fixture
def host() -> HostWithLeavers:
    return HostWithLeavers()


@pytest.fixture
def app(
    host: HostWithLeavers, make_app: MakeApp, activepieces_server: ActivepiecesServer, clock: StoppedClock
) -> Flask:
    """An app with a signing key, and an integration of Acme."""
    clock.now = activepieces_server.state.clock()
    key_id, pem = activepieces_server.add_signing_key()
    app = make_app(
        host=host,
        ACTIVEPIECES_BASE_URL=activepieces_server.url,
        ACTIVEPIECES_API_KEY=activepieces_server.api_key,
        ACTIVEPIECES_SIGNING_KEY=pem,
        ACTIVEPIECES_SIGNING_KEY_ID=key_id,
        ACTIVEPIECES_PUBLIC_URL="https://app.example.com",
    )
    ApiUser.named(app, "alice").links()
    return app


def open_builder(app: Flask, server: ActivepiecesServer, name: str) -> None:
    state = get_state(app)
    (integration,) = state.tenants.integrations.list_all()
    with app.app_context():
        token = state.tenants.embedding.builder(integration, Principal(name, "acme", name), role="Editor").token
    ActivepiecesClient(server.url, server.api_key).embedding.exchange(token)


def members(server: ActivepiecesServer) -> list[str | None]:
    store = server.state.store
    users = [store.get("user", member["userId"]) for member in store.all("project_member")]
    return [user["externalId"] for user in users if user is not None]


def test_the_sites_of_the_app_are_allowed(run: Run, activepieces_server: ActivepiecesServer) -> None:
    assert run("embedding", "allow").stdout == "Allowed: https://app.example.com\n"
    assert json.loads(run("embedding", "allow", "http://localhost:5000", "--json").stdout) == [
        "https://app.example.com",
        "http://localhost:5000",
    ]


def test_what_is_not_an_origin_is_refused(run: Run) -> None:
    result = run("embedding", "allow", "https://app.example.com/crm")

    assert result.exit_code == 1
    assert "ORIGINS: 'https://app.example.com/crm' is not an origin" in result.stderr


def test_without_users_the_list_says_so(run: Run) -> None:
    assert run("embedding", "users").stdout == "No user is signed in to the builder.\n"


def test_the_users_are_listed(app: Flask, run_json: RunJson, activepieces_server: ActivepiecesServer) -> None:
    open_builder(app, activepieces_server, "bob")

    (user,) = run_json("embedding", "users", "--json")
    assert (user["tenant_id"], user["user_id"], user["external_id"]) == ("acme", "bob", "acme/bob")
    assert user["removal_due_at"] is None
    assert run_json("embedding", "users", "--tenant", "globex", "--json") == []


def test_the_check_removes_users_whom_the_app_no_longer_has(
    app: Flask, host: HostWithLeavers, run: Run, activepieces_server: ActivepiecesServer
) -> None:
    open_builder(app, activepieces_server, "bob")
    open_builder(app, activepieces_server, "carol")
    host.carol_has_left = True

    result = run("embedding", "check")

    assert (result.exit_code, result.stdout) == (0, "Checked 2 users, and ended the access of 1.\n")
    assert members(activepieces_server) == ["acme/bob"]


def test_the_check_fails_while_activepieces_does(
    app: Flask, host: HostWithLeavers, run: Run, activepieces_server: ActivepiecesServer
) -> None:
    open_builder(app, activepieces_server, "carol")
    host.carol_has_left = True
    activepieces_server.faults.fail("GET", "/users", 500, times=None)

    result = run("embedding", "check", "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (1, {"checked": 1, "ended": 1, "left": 1})
    activepieces_server.faults.clear()
    assert run("embedding", "check").exit_code == 0
    assert members(activepieces_server) == []


def test_revoking_a_user_removes_the_member(app: Flask, activepieces_server: ActivepiecesServer) -> None:
    open_builder(app, activepieces_server, "bob")

    with app.app_context():
        Activepieces().revoke_user("bob", tenant_id="acme")

    assert members(activepieces_server) == []
