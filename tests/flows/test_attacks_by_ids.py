"""A host that returns invalid ids opens no other tenant, and not the clients of all tenants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from sqlalchemy import Connection

from flask_activepieces import Activepieces, Principal
from flask_activepieces.errors import SetupError
from flask_activepieces.integrations import store as records
from flask_activepieces.oauth import grants
from flask_activepieces.oauth.clients import client as clients
from flask_activepieces.oauth.clients.registration import Registration
from flask_activepieces.state import State, get_state
from flask_activepieces.storage import maintenance
from tests.conftest import MakeApp
from tests.support import hosts
from tests.support.actors import Person, Program
from tests.support.databases import fresh_database
from tests.support.storage import row_counts


@pytest.fixture(scope="module")
def app(make_shared_app: MakeApp) -> Flask:
    """An app that stores nothing."""
    return make_shared_app()


INVALID_IDS: list[Any] = [None, 5, "", "acme ", "ac\0me", "x" * 191]


class CarelessHost(hosts.SmallHost):
    """Returns an unchecked tenant id."""

    def current_principal(self) -> Principal | None:
        name = session.get("user")
        return Principal(name, self.tenant_id, "Alice") if name else None

    def __init__(self, tenant_id: Any) -> None:
        self.tenant_id = tenant_id


@pytest.mark.parametrize("tenant_id", INVALID_IDS, ids=repr)
def test_an_admin_with_an_invalid_tenant_id_cannot_manage_clients(make_app: MakeApp, tenant_id: Any) -> None:
    """With None as tenant they would manage the clients of all tenants."""
    app = make_app(host=CarelessHost(tenant_id))
    shared_client = Program.registered(app)
    alice = Person(app, "alice")
    before = row_counts(app)

    page = alice.sees("/automation/clients")
    api = "/api/integration/activepieces/oauth-clients"
    response = alice.browser.get(f"{api}/{shared_client.client_id}")
    deleted = alice.browser.delete(f"{api}/{shared_client.client_id}")

    assert [page.status, response.status_code, deleted.status_code] == [500, 500, 500]
    assert shared_client.client_id not in page.text
    assert row_counts(app) == before


Lookup = Callable[[Connection, Any], object]
LOOKUPS: dict[str, Lookup] = {
    "clients.list_for_tenant": clients.list_for_tenant,
    "grants.existing_grants": lambda conn, tenant: grants.existing_grants(
        conn, client_id="an-id", tenant_ids=[tenant], user_id="bob"
    ),
    "records.get": lambda conn, tenant: records.get(conn, "an-id", tenant_id=tenant),
    "records.find_for": lambda conn, tenant: records.find_for(conn, tenant_id=tenant, organization_id=None),
    "records.list_for_tenant": records.list_for_tenant,
}


@pytest.mark.parametrize("tenant_id", INVALID_IDS, ids=repr)
@pytest.mark.parametrize("name", LOOKUPS)
def test_every_query_by_tenant_rejects_an_invalid_id(app: Flask, name: str, tenant_id: Any) -> None:
    state = get_state(app)

    with pytest.raises(SetupError, match="tenant_id"):
        state.database.read(lambda conn: LOOKUPS[name](conn, tenant_id))


ServiceCall = Callable[[State, Any], object]
TENANT_CALLS: dict[str, ServiceCall] = {
    "maintenance.has_tenant": lambda state, tenant: maintenance.has_tenant(state.database, tenant),
    "oauth_clients.get_for_tenant": lambda state, tenant: state.oauth_clients.get_for_tenant(
        "an-id", tenant_id=tenant
    ),
    "oauth_clients.list_for_tenant": lambda state, tenant: state.oauth_clients.list_for_tenant(tenant),
    "grants.revoke_tenant": lambda state, tenant: state.grants.revoke_tenant(tenant, reason="test"),
    "grants.existing_grants": lambda state, tenant: state.grants.existing_grants(
        client_id="an-id", tenant_ids=[tenant], user_id="bob"
    ),
    "grants.get_for_user": lambda state, tenant: state.grants.get_for_user(
        "an-id", tenant_ids=[tenant], user_id="bob"
    ),
    "connected_apps.list_for_user": lambda state, tenant: state.connected_apps.list_for_user(
        "bob", tenant_ids=[tenant], limit=1
    ),
}


@pytest.mark.parametrize("tenant_id", INVALID_IDS, ids=repr)
@pytest.mark.parametrize("name", TENANT_CALLS)
def test_every_service_rejects_an_invalid_tenant_id(app: Flask, name: str, tenant_id: Any) -> None:
    with pytest.raises(SetupError, match="tenant_id"):
        TENANT_CALLS[name](get_state(app), tenant_id)


USER_CALLS: dict[str, ServiceCall] = {
    "grants.revoke_user": lambda state, user: state.grants.revoke_user(user, tenant_id="acme", reason="test"),
    "grants.existing_grants": lambda state, user: state.grants.existing_grants(
        client_id="an-id", tenant_ids=["acme"], user_id=user
    ),
    "grants.get_for_user": lambda state, user: state.grants.get_for_user("an-id", tenant_ids=["acme"], user_id=user),
    "connected_apps.list_for_user": lambda state, user: state.connected_apps.list_for_user(
        user, tenant_ids=["acme"], limit=1
    ),
}


@pytest.mark.parametrize("user_id", INVALID_IDS, ids=repr)
@pytest.mark.parametrize("name", USER_CALLS)
def test_every_service_rejects_an_invalid_user_id(app: Flask, name: str, user_id: Any) -> None:
    with pytest.raises(SetupError, match="user_id"):
        USER_CALLS[name](get_state(app), user_id)


Call = Callable[[Activepieces, State, Any], object]
CALLS: dict[str, Call] = {
    "revoke_user": lambda extension, _, value: extension.revoke_user(value),
    "revoke_tenant": lambda extension, _, value: extension.revoke_tenant(value),
    "integrations.list_for_tenant": lambda _, state, value: state.tenants.integrations.list_for_tenant(value),
}


@pytest.mark.parametrize("value", INVALID_IDS, ids=repr)
@pytest.mark.parametrize("name", CALLS)
def test_the_python_api_rejects_an_invalid_id(app: Flask, name: str, value: Any) -> None:
    with app.app_context(), pytest.raises(SetupError, match="_id is "):
        CALLS[name](Activepieces(), get_state(app), value)


@pytest.mark.parametrize("value", INVALID_IDS[1:], ids=repr)
def test_a_registration_rejects_an_invalid_tenant_id(value: Any) -> None:
    with pytest.raises(SetupError, match=r"Registration\.tenant_id is "):
        Registration(name="x", tenant_id=value)


COMMANDS = [
    ["client", "list", "--tenant"],
    ["client", "create", "--name", "x", "--redirect-uri", "https://x.test/", "--tenant"],
    ["grants", "list", "--tenant"],
    ["grants", "list", "--user"],
    ["integrations", "list", "--tenant"],
    ["integrations", "check", "--tenant"],
]


@pytest.mark.parametrize("value", ["", "acme ", " acme", "ac\0me", "x" * 191], ids=repr)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_reject_an_invalid_id(app: Flask, command: list[str], value: str) -> None:
    before = row_counts(app)

    result = app.test_cli_runner().invoke(args=["activepieces", *command, value])

    assert result.exit_code == 2
    assert f"Invalid value for '{command[-1]}'" in result.stderr
    assert row_counts(app) == before


@pytest.mark.mariadb
def test_a_trailing_space_opens_no_other_tenant_on_mariadb(tmp_path: Path) -> None:
    """MariaDB compares with PAD SPACE, where 'acme ' is 'acme'."""
    with fresh_database("mariadb", tmp_path) as url:
        app = hosts.make_app(tmp_path, database=url, host=CarelessHost("acme "))
        acme_client = Program.registered(app, "--tenant", "acme", "--yes")

        page = Person(app, "alice").sees("/automation/clients")
        listed = app.test_cli_runner().invoke(args=["activepieces", "client", "list", "--tenant", "acme "])
        with app.app_context(), pytest.raises(SetupError, match="no space at either end"):
            Activepieces().revoke_tenant("acme ")
        counts = row_counts(app)
        hosts.dispose(app)

    assert page.status == 500
    assert acme_client.client_id not in page.text + listed.output
    assert counts["oauth_clients"] == 1
