"""The MCP server of a tenant's project: managed by a user; its token stays masked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flask_activepieces.api_client.errors import CallNotSupported, CredentialNotSupported, PermissionDenied
from flask_activepieces.host.interface import Principal
from flask_activepieces.integrations.store import Integration
from flask_activepieces.testing.standin.access.signing_keys import add_key, new_pair
from tests.support.service_harness import ServiceHarness

ALICE = Principal("alice", "acme", "Alice")


@pytest.fixture
def integration(harness: ServiceHarness) -> Integration:
    return harness.set_up(**harness.user_token_setup())


def test_a_user_sees_the_server_and_four_characters_of_its_token(
    harness: ServiceHarness, integration: Integration
) -> None:
    server = harness.services.mcp.get(integration)

    assert server.project_id == integration.project_id
    assert len(server.masked_token) == 5
    assert server.token not in repr(server)


def test_a_user_disables_tools(harness: ServiceHarness, integration: Integration) -> None:
    harness.services.mcp.update(integration, disabled_tools=["ap_list_connections"], user_id="alice")

    assert harness.event_names[-1] == "mcp.changed"
    assert harness.services.mcp.get(integration).disabled_tools == ("ap_list_connections",)


def test_an_unsupported_change_sends_no_signal(harness: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(CallNotSupported, match="a list of the tools that are switched off"):
        harness.services.mcp.update(integration, enabled=False, user_id="alice")

    assert "mcp.changed" not in harness.event_names


def test_no_one_sees_a_new_token_by_default(harness: ServiceHarness, integration: Integration) -> None:
    before = harness.services.mcp.get(integration).token

    rotated = harness.services.mcp.rotate_token(integration, ALICE)

    assert rotated.token is None
    assert rotated.server.token != before
    assert harness.event_names[-1] == "mcp.token_rotated"
    assert rotated.server.token not in repr(harness.rows("audit_events"))


def test_users_whom_the_host_allows_see_a_new_token(harness: ServiceHarness, integration: Integration) -> None:
    harness.host.may_see_token = True

    rotated = harness.services.mcp.rotate_token(integration, ALICE)

    assert rotated.token == harness.services.mcp.get(integration).token
    assert str(rotated.token) not in repr(rotated)


def test_the_error_for_a_key_asks_for_a_user(harness: ServiceHarness) -> None:
    integration = harness.set_up()
    harness.upstream.calls.clear()

    with pytest.raises(CredentialNotSupported, match="user token"):
        harness.services.mcp.get(integration)

    assert harness.upstream.calls == []


def test_the_servers_of_all_projects_are_listed(harness: ServiceHarness, integration: Integration) -> None:
    other = harness.new_project()

    listed = harness.services.mcp.list(integration)

    assert {server.project_id for server in listed.servers} >= {integration.project_id, other}
    assert listed.project_count == len(listed.servers)


def test_the_server_of_the_platform_is_changed_and_rotated(harness: ServiceHarness, integration: Integration) -> None:
    mcp = harness.services.mcp

    changed = mcp.update_platform(integration, disabled_tools=["ap_delete_flow"], user_id="alice")
    rotated = mcp.rotate_platform_token(integration, ALICE)

    assert (changed.project_id, changed.disabled_tools) == (None, ("ap_delete_flow",))
    assert rotated.token is None
    assert mcp.get_platform(integration).token == rotated.server.token != changed.token
    details = [row["detail"] for row in harness.rows("audit_events")[-2:]]
    assert all('"scope": "platform"' in detail for detail in details)


# With the app's own key


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """The private and public signing key of the platform."""
    return new_pair()


@pytest.fixture
def with_signing_key(harness: ServiceHarness, pair: tuple[str, str]) -> ServiceHarness:
    """An app with a signing key, which signs users in."""
    state = harness.upstream.state
    key = add_key(state, harness.upstream.platform_id, pair[1], "the app")
    return harness.with_app_key(signing_key=pair[0], signing_key_id=key["id"])


def test_with_the_apps_own_key_the_app_signs_in_a_user(with_signing_key: ServiceHarness) -> None:
    made = with_signing_key.set_up(tenant_id=with_signing_key.tenant)
    mcp = with_signing_key.services.mcp

    before = mcp.get(made)
    mcp.update(made, disabled_tools=["ap_list_connections"], user_id="alice")
    rotated = mcp.rotate_token(made, ALICE)

    assert (before.project_id, before.disabled_tools) == (made.project_id, ())
    assert rotated.server.disabled_tools == ("ap_list_connections",)
    assert rotated.server.token != before.token


def test_the_platform_of_the_app_is_not_that_of_a_tenant(with_signing_key: ServiceHarness) -> None:
    made = with_signing_key.set_up(tenant_id=with_signing_key.tenant)
    with_signing_key.upstream.calls.clear()

    with pytest.raises(CredentialNotSupported):
        with_signing_key.services.mcp.get_platform(made)

    assert with_signing_key.upstream.calls == []
    listed = with_signing_key.services.mcp.list(made)
    assert ([server.project_id for server in listed.servers], listed.project_count) == ([made.project_id], 1)


@pytest.mark.parametrize("served", ["0.92"], indirect=True)
@pytest.mark.parametrize("piece_set", ["crm-only", None])
def test_signing_in_the_user_assigns_the_configured_piece_set(
    with_signing_key: ServiceHarness, piece_set: str | None
) -> None:
    """Each embedded sign-in assigns the piece set of the project."""
    app = with_signing_key.with_settings(piece_set=piece_set)
    made = app.set_up(tenant_id=app.tenant)

    app.services.mcp.get(made)

    rows = app.upstream.state.store.all("project_piece_set", projectId=made.project_id)
    assert [row["pieceSet"] for row in rows] == [piece_set]


def test_each_tenants_user_is_a_member_of_its_project_only(with_signing_key: ServiceHarness) -> None:
    others = replace(with_signing_key, tenant=f"{with_signing_key.tenant}-other")
    ours, theirs = (app.set_up(tenant_id=app.tenant) for app in (with_signing_key, others))
    for one in (ours, theirs, ours):
        with_signing_key.services.mcp.get(one)

    client = with_signing_key.services.integrations.client_for(ours, "mcp.get")

    assert [project.id for project in client.projects.list()] == [ours.project_id]
    with pytest.raises(PermissionDenied):
        client.mcp.get(theirs.project_id)
    with pytest.raises(PermissionDenied):
        client.users.list()


def test_the_app_signs_in_no_user_in_a_shared_project(with_signing_key: ServiceHarness) -> None:
    shared = with_signing_key.with_settings(project_id=with_signing_key.new_project())
    made = shared.set_up(tenant_id=shared.tenant)
    shared.upstream.calls.clear()

    for app in (shared, with_signing_key):
        with pytest.raises(CallNotSupported):
            app.services.mcp.rotate_token(made, ALICE)

    assert shared.upstream.calls == []


@pytest.mark.parametrize("absent", ["signing_key", "signing_key_id"])
def test_without_a_signing_key_the_log_names_the_settings(
    with_signing_key: ServiceHarness, absent: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = with_signing_key.with_settings(**{absent: None})
    made = app.set_up(tenant_id=app.tenant)
    app.upstream.calls.clear()

    with pytest.raises(CallNotSupported, match="set up a signing key"):
        app.services.mcp.get(made)

    assert "ACTIVEPIECES_SIGNING_KEY_ID" in caplog.text
    assert app.upstream.calls == []


def test_the_signing_key_is_not_used_for_tenants_with_their_own_key(with_signing_key: ServiceHarness) -> None:
    made = with_signing_key.set_up()

    with pytest.raises(CredentialNotSupported):
        with_signing_key.services.mcp.get(made)
