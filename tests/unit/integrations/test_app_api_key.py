"""The app's own key can access every project, so its tenants are restricted to their own resources."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flask_activepieces.api_client.errors import CallNotSupported, ResourceNotFound
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.connections import Connection, ConnectionDraft
from flask_activepieces.errors import IntegrationDisabled, InvalidInput, NotFound, SetupError
from tests.support.service_harness import SECRET_PIECE, ServiceHarness


@pytest.fixture
def shared(harness: ServiceHarness) -> ServiceHarness:
    """An app whose tenants share one project."""
    return harness.with_app_key(project_id=harness.new_project())


@pytest.fixture
def apart(harness: ServiceHarness) -> ServiceHarness:
    """An app whose tenants each have their own project, with the app's key."""
    return harness.with_app_key()


def other(harness: ServiceHarness) -> ServiceHarness:
    """Another tenant of the same app."""
    return replace(harness, tenant=f"{harness.tenant}-other", events=[])


def test_an_integration_needs_a_key(harness: ServiceHarness) -> None:
    with pytest.raises(InvalidInput) as caught:
        harness.set_up(tenant_id=harness.tenant)

    assert list(caught.value.fields) == ["apiKey"]
    assert harness.upstream.calls == []


def test_a_tenant_without_a_key_uses_the_apps(shared: ServiceHarness) -> None:
    made = shared.set_up(tenant_id=shared.tenant)

    assert not made.has_credentials
    assert made.credential_hint is None
    assert made.project_id == shared.settings.project_id


def test_a_project_is_created_for_each_tenant(apart: ServiceHarness) -> None:
    made = apart.set_up(tenant_id=apart.tenant)

    project = apart.platform_client().projects.get(made.project_id)
    assert project.external_id == apart.tenant


def test_an_existing_project_is_found(apart: ServiceHarness) -> None:
    own = apart.new_project(external_id=apart.tenant)

    assert apart.set_up(tenant_id=apart.tenant).project_id == own


def test_an_organization_gets_another_project_than_its_tenant(apart: ServiceHarness) -> None:
    whole = apart.set_up(tenant_id=apart.tenant)
    labs = apart.set_up(tenant_id=apart.tenant, organization_id="labs")

    assert whole.project_id != labs.project_id


@pytest.mark.parametrize(("tenant", "organization"), [("a/b", None), ("a", "b")])
def test_a_slash_in_an_id_does_not_lead_to_another_tenants_project(
    apart: ServiceHarness, tenant: str, organization: str | None
) -> None:
    first = apart.set_up(tenant_id=f"{apart.tenant}{tenant}", organization_id=organization)

    second = apart.set_up(
        tenant_id=f"{apart.tenant}a" if organization is None else f"{apart.tenant}a/b",
        organization_id="b" if organization is None else None,
    )

    assert first.project_id != second.project_id


def test_a_tenant_id_may_be_a_domain_name(apart: ServiceHarness) -> None:
    """Activepieces does not accept a dot in the name of a project."""
    tenant = f"{apart.tenant}.example.com"

    made = apart.set_up(tenant_id=tenant)

    assert apart.platform_client().projects.get(made.project_id).external_id == tenant


@pytest.mark.parametrize("which", ["its own", "another's"])
def test_a_tenant_cannot_choose_a_project_on_the_apps_key(apart: ServiceHarness, which: str) -> None:
    theirs = apart.set_up(tenant_id=apart.tenant).project_id

    with pytest.raises(InvalidInput) as caught:
        other(apart).set_up(
            tenant_id=f"{apart.tenant}-other",
            project_id=theirs if which == "another's" else apart.upstream.project_id,
        )

    assert list(caught.value.fields) == ["projectId"]


def test_a_tenant_cannot_move_to_another_project_later(apart: ServiceHarness) -> None:
    made = apart.set_up(tenant_id=apart.tenant)

    with pytest.raises(InvalidInput) as caught:
        apart.services.integrations.update(made, project_id=apart.upstream.project_id, user_id="alice")

    assert list(caught.value.fields) == ["projectId"]


def test_the_apps_key_goes_to_the_configured_server_only(apart: ServiceHarness) -> None:
    there = apart.with_settings(allowed_base_urls=("http://127.0.0.1:9",))

    with pytest.raises(InvalidInput) as caught:
        there.set_up(tenant_id=apart.tenant, base_url="http://127.0.0.1:9")

    assert list(caught.value.fields) == ["apiKey"]


def test_an_unknown_shared_project_is_a_setup_error(harness: ServiceHarness) -> None:
    wrong = harness.with_app_key(project_id="x" * 21)

    with pytest.raises(SetupError, match="ACTIVEPIECES_PROJECT_ID"):
        wrong.set_up(tenant_id=harness.tenant)


def test_two_tenants_in_one_project_do_not_see_each_others_connections(shared: ServiceHarness) -> None:
    them = other(shared)
    ours, theirs = shared.set_up(tenant_id=shared.tenant), them.set_up(tenant_id=them.tenant)
    mine, yours = shared.save(ours, "Mine"), them.save(theirs, "Mine")

    connections = shared.services.connections
    assert mine.id != yours.id
    assert [one.id for one in connections.list(ours)] == [mine.id]
    assert [one.id for one in connections.list(theirs)] == [yours.id]
    with pytest.raises(NotFound):
        connections.get(ours, yours.id)
    with pytest.raises(NotFound):
        connections.update(ours, yours.id, display_name="Got you", user_id="a")
    with pytest.raises(NotFound):
        connections.delete(ours, yours.id, force=True, user_id="a")
    assert connections.get(theirs, yours.id).display_name == "Mine"


def connect_in_activepieces(harness: ServiceHarness, project_id: str) -> Connection:
    """A connection that was made in Activepieces, or in the embedded builder."""
    draft = ConnectionDraft(
        project_id=project_id,
        external_id="by-hand",
        display_name="By hand",
        piece_name=SECRET_PIECE,
        value=SecretText(secret_text="ok-by-hand"),
    )
    return harness.platform_client().connections.upsert(draft)


def test_connections_created_in_activepieces_belong_to_no_tenant_on_the_shared_key(shared: ServiceHarness) -> None:
    made = shared.set_up(tenant_id=shared.tenant)
    connect_in_activepieces(shared, made.project_id)

    assert not shared.services.connections.list(made)


def test_connections_created_in_activepieces_belong_to_the_tenant_of_the_project(apart: ServiceHarness) -> None:
    made = apart.set_up(tenant_id=apart.tenant)
    by_hand = connect_in_activepieces(apart, made.project_id)

    assert [each.id for each in apart.services.connections.list(made)] == [by_hand.id]
    renamed = apart.services.connections.update(made, by_hand.id, display_name="Renamed", user_id="a")
    assert (renamed.display_name, renamed.external_id) == ("Renamed", "by-hand")


def test_a_broken_connection_created_in_activepieces_is_reported(apart: ServiceHarness) -> None:
    made = apart.set_up(tenant_id=apart.tenant)
    by_hand = connect_in_activepieces(apart, made.project_id)
    apart.upstream.break_connection("by-hand", project_id=made.project_id)

    assert [each.connection_id for each in apart.services.connection_health.check(made)] == [by_hand.id]


def test_in_a_project_that_becomes_shared_untagged_connections_belong_to_no_tenant(
    apart: ServiceHarness, harness: ServiceHarness
) -> None:
    made = apart.set_up(tenant_id=apart.tenant)
    connect_in_activepieces(apart, made.project_id)
    later = harness.with_app_key(project_id=made.project_id)
    assert not later.services.connections.list(made)

    them = other(later)
    theirs = them.set_up(tenant_id=them.tenant)
    after_that = harness.with_app_key()

    # Without the setting, the other tenant is still in the project.
    assert theirs.project_id == made.project_id
    assert not after_that.services.connections.list(made)
    assert not after_that.services.connections.list(theirs)


def test_a_tenant_with_a_key_for_the_project_keeps_its_untagged_connections(apart: ServiceHarness) -> None:
    made = apart.set_up(tenant_id=apart.tenant)
    them = other(apart)
    theirs = them.set_up(tenant_id=them.tenant, api_key=apart.upstream.api_key, project_id=made.project_id)
    by_hand = connect_in_activepieces(apart, made.project_id)

    assert not apart.services.connections.list(made)
    assert [each.id for each in apart.services.connections.list(theirs)] == [by_hand.id]


REFUSED_IN_A_SHARED_PROJECT = [
    "connections.list_owners",
    "connections.replace",
    "flows.list",
    "flows.get",
    "flow_runs.list",
    "flow_runs.get",
    "folders.list",
    "mcp.get",
    "mcp.update",
    "mcp.rotate_token",
    "projects.list",
    "projects.get",
    "projects.create",
    "users.list",
    "members.list",
    "global_connections.list",
    "an unknown call",
]


@pytest.mark.parametrize("operation", REFUSED_IN_A_SHARED_PROJECT)
def test_calls_that_show_other_tenants_are_refused_in_a_shared_project(
    shared: ServiceHarness, operation: str
) -> None:
    made = shared.set_up(tenant_id=shared.tenant)
    shared.upstream.calls.clear()

    with pytest.raises(CallNotSupported):
        shared.services.integrations.client_for(made, operation)

    assert shared.upstream.calls == []


@pytest.mark.parametrize(
    "operation", ["mcp.get", "projects.list", "projects.create", "users.list", "global_connections.delete"]
)
def test_platform_wide_calls_are_refused_in_a_tenants_own_project_too(apart: ServiceHarness, operation: str) -> None:
    made = apart.set_up(tenant_id=apart.tenant)

    with pytest.raises(CallNotSupported):
        apart.services.integrations.client_for(made, operation)


def test_in_its_own_project_a_tenant_sees_flows_and_owners(apart: ServiceHarness) -> None:
    made = apart.set_up(tenant_id=apart.tenant)

    assert not apart.services.flows.list(made)
    assert not apart.services.connections.list_owners(made)
    assert [project.id for project in apart.services.projects.list(made)] == [made.project_id]


def test_a_flow_or_a_run_of_another_tenant_is_not_found(apart: ServiceHarness) -> None:
    """The app's key could access it."""
    made = apart.set_up(tenant_id=apart.tenant)
    theirs = apart.platform_client().flows.create(apart.upstream.project_id, "Their flow")

    with pytest.raises(NotFound):
        apart.services.flows.get(made, theirs.id)
    with pytest.raises(ResourceNotFound):
        apart.services.flows.get_run(made, "x" * 21)


def test_without_the_apps_key_its_tenants_are_disabled(shared: ServiceHarness) -> None:
    made = shared.set_up(tenant_id=shared.tenant)

    with pytest.raises(IntegrationDisabled, match="no default API key"):
        shared.with_settings(api_key=None).services.connections.list(made)


def test_a_tenant_that_sets_its_own_key_leaves_the_shared_project(shared: ServiceHarness) -> None:
    made = shared.set_up(tenant_id=shared.tenant)
    own = shared.new_project()

    moved = shared.set_up(api_key=shared.upstream.api_key, project_id=own)

    assert (moved.id, moved.has_credentials, moved.project_id) == (made.id, True, own)


def test_a_shared_project_stays_restricted_without_the_setting(
    shared: ServiceHarness, harness: ServiceHarness
) -> None:
    """The other tenants' flows are still in it."""
    made = shared.set_up(tenant_id=shared.tenant)
    later = harness.with_app_key()

    with pytest.raises(CallNotSupported):
        later.services.flows.list(later.reload(made))

    own = later.set_up(tenant_id=harness.tenant)
    assert own.id == made.id
    assert own.project_id != made.project_id
    assert not later.services.flows.list(own)


def test_a_project_that_becomes_shared_is_restricted_for_its_tenant(
    apart: ServiceHarness, harness: ServiceHarness
) -> None:
    made = apart.set_up(tenant_id=apart.tenant)
    later = harness.with_app_key(project_id=made.project_id)

    with pytest.raises(CallNotSupported):
        later.services.flows.list(made)


def test_connections_are_replaced_by_a_signed_user(apart: ServiceHarness) -> None:
    """With an API key, Activepieces would leave published flows with an empty draft."""
    key_id, pem = apart.upstream.add_signing_key()
    signing = apart.with_settings(signing_key=pem, signing_key_id=key_id)
    integration = signing.set_up(tenant_id=signing.tenant)
    source, target = signing.save(integration, "Source"), signing.save(integration, "Target")
    ids: dict[str, Any] = {"source_id": source.id, "target_id": target.id, "user_id": "alice"}

    with pytest.raises(CallNotSupported, match="signing key"):
        apart.services.connections.replace(integration, **ids)
    # The stand-in has its own clock.
    signing.clock.now = signing.upstream.state.clock()
    signing.services.connections.replace(integration, **ids)

    assert [each.id for each in signing.services.connections.list(integration)] == [target.id]
