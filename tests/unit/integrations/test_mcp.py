"""The MCP server of a tenant's project: managed by a user, its token shown to nobody who may not see it."""

from __future__ import annotations

import pytest

from flask_activepieces.client.errors import NotCallable, WrongCredential
from flask_activepieces.host import Principal
from flask_activepieces.integrations.records import Integration
from tests.support.office import Office

ALICE = Principal("alice", "acme", "Alice")


@pytest.fixture
def integration(office: Office) -> Integration:
    return office.set_up(**office.as_user())


def test_a_user_sees_the_server_and_four_characters_of_its_token(
    office: Office, integration: Integration
) -> None:
    server = office.services.mcp.show(integration)

    assert server.project_id == integration.project_id
    assert len(server.masked_token) == 5
    assert server.token not in repr(server)


def test_a_user_switches_tools_off(office: Office, integration: Integration) -> None:
    office.services.mcp.change(integration, disabled_tools=["ap_list_connections"])

    assert office.services.mcp.show(integration).disabled_tools == ("ap_list_connections",)


def test_a_new_token_is_shown_to_nobody(office: Office, integration: Integration) -> None:
    before = office.services.mcp.show(integration).token

    rotated = office.services.mcp.rotate(integration, ALICE, now=office.now)

    assert rotated.token is None
    assert rotated.server.token != before
    assert office.told[-1] == "mcp.token_rotated"
    assert rotated.server.token not in repr(office.rows("audit_events"))


def test_a_new_token_is_shown_to_whom_the_app_allows_it(
    office: Office, integration: Integration
) -> None:
    office.host.reveals = True

    rotated = office.services.mcp.rotate(integration, ALICE, now=office.now)

    assert rotated.token == office.services.mcp.show(integration).token
    assert str(rotated.token) not in repr(rotated)


def test_a_key_alone_is_told_that_it_takes_a_user(office: Office) -> None:
    integration = office.set_up()
    office.upstream.calls.clear()

    with pytest.raises(WrongCredential, match="user token"):
        office.services.mcp.show(integration)

    assert office.upstream.calls == []


def test_the_apps_own_key_manages_no_tenants_server(office: Office) -> None:
    app = office.on_the_apps_key()
    integration = app.set_up(tenant_id=office.tenant)

    with pytest.raises(NotCallable):
        app.services.mcp.rotate(integration, ALICE, now=office.now)
