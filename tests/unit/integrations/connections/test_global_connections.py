"""Platform connections: created by tenants with their own key, for the projects that they name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from flask_activepieces.api_client.errors import (
    CallNotSupported,
    ConnectionFailed,
    ConnectionValueRejected,
    EditionNotSupported,
    PermissionDenied,
    PlanUpgradeRequired,
    ResourceNotFound,
)
from flask_activepieces.api_client.resources.connection_values import BasicAuth, CustomAuth, NoAuth, SecretText, Value
from flask_activepieces.api_client.resources.connections import Connection
from flask_activepieces.errors import InvalidInput, Locked, NotFound
from flask_activepieces.integrations.connections import ownership
from flask_activepieces.integrations.connections.saver import NewConnection, PlatformSharing
from flask_activepieces.integrations.connections.service import ConnectionFilter
from flask_activepieces.integrations.store import Integration
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.state import FEATURES
from tests.support.acme import acme_pieces
from tests.support.service_harness import SECRET_PIECE, ServiceHarness
from tests.support.standin import standin


@pytest.fixture
def integration(harness: ServiceHarness) -> Integration:
    return harness.set_up()


def save(
    harness: ServiceHarness,
    integration: Integration,
    name: str = "For all",
    value: str = "ok-for-all",
    *,
    projects: list[str] | None = None,
    for_new: bool | None = None,
    **more: Any,
) -> Connection:
    platform_sharing = PlatformSharing(project_ids=projects, pre_select_for_new_projects=for_new)
    return harness.save(integration, name, value, platform_sharing=platform_sharing, **more)


def platform_destination(harness: ServiceHarness) -> list[Connection]:
    """The platform connections of this tenant."""
    integration = harness.services.integrations.list_for_tenant(harness.tenant)[0]
    prefix = ownership.external_id(integration, "x", platform=True)[:-1]
    rows = harness.platform_client().global_connections.list()
    return [row for row in rows if row.external_id.startswith(prefix)]


def drops_metadata(harness: ServiceHarness, connection: Connection) -> None:
    """Remove the metadata, as real servers do when a platform connection is created or changed."""
    harness.upstream.state.store.change("app_connection", connection.id, metadata=None)


def test_a_global_connection_names_its_owner(harness: ServiceHarness, integration: Integration) -> None:
    made = save(harness, integration)

    assert (made.scope, made.status, made.type) == ("PLATFORM", "ACTIVE", "SECRET_TEXT")
    assert made.project_ids == (integration.project_id,)
    assert not made.pre_select_for_new_projects
    assert [connection.id for connection in platform_destination(harness)] == [made.id]
    assert harness.event_names[-1] == "connection.saved"
    found = harness.services.connections.list(integration, ConnectionFilter(scope="PLATFORM"))
    assert [connection.id for connection in found] == [made.id]


@pytest.mark.parametrize(
    ("value", "piece"),
    [
        (SecretText(secret_text="ok-1"), "secret"),
        (BasicAuth(username="ada", password="p"), "basic"),
        (CustomAuth(props={"key": "p"}), "custom"),
        (NoAuth(), "none"),
    ],
    ids=lambda value: getattr(value, "type", None),
)
def test_every_type_of_value_can_be_saved(
    harness: ServiceHarness, integration: Integration, value: Value, piece: str
) -> None:
    name = f"@activepieces/piece-acme-{piece}"
    new = NewConnection(value=value, piece_name=name, platform_sharing=PlatformSharing())

    made = harness.services.connections.save(integration, new, user_id="alice")

    assert (made.type, made.scope) == (value.type, "PLATFORM")


def test_saving_under_the_same_name_replaces_only_the_value(
    harness: ServiceHarness, integration: Integration
) -> None:
    other = harness.new_project()
    projects = [integration.project_id, other]
    first = save(harness, integration, projects=projects, for_new=True)

    again = save(harness, integration, value="ok-2")

    assert again.id == first.id
    assert again.project_ids == tuple(projects)
    assert again.pre_select_for_new_projects


def test_without_metadata_it_still_belongs_to_its_tenant_only(
    harness: ServiceHarness, integration: Integration
) -> None:
    """All three have a key for the same project, where an untagged connection would belong to each of them."""
    same = {"api_key": harness.upstream.api_key, "project_id": integration.project_id}
    labs = harness.set_up(tenant_id=harness.tenant, organization_id="labs", **same)
    globex = harness.set_up(tenant_id=f"{harness.tenant}-globex", **same)
    made = save(harness, integration)
    drops_metadata(harness, made)

    seen = {one.id: [row.id for row in harness.services.connections.list(one)] for one in (integration, labs, globex)}
    renamed = harness.services.connections.update(integration, made.id, display_name="New", user_id="alice")

    assert seen == {integration.id: [made.id], labs.id: [], globex.id: []}
    assert renamed.display_name == "New"
    for stranger in (labs, globex):
        with pytest.raises(NotFound):
            harness.services.connections.delete(stranger, made.id, user_id="mallory")


def test_saving_under_the_same_name_finds_it_without_metadata(
    harness: ServiceHarness, integration: Integration
) -> None:
    first = save(harness, integration)
    drops_metadata(harness, first)

    assert save(harness, integration, value="ok-2").id == first.id


def test_the_account_identifier_is_sent_again(harness: ServiceHarness, integration: Integration) -> None:
    """For servers that store the metadata of platform connections."""
    made = save(harness, integration)
    noted = {"accountIdentifier": "ada@example.com"}
    harness.upstream.state.store.change("app_connection", made.id, metadata=noted)

    for metadata in (None, {"team": "it"}):
        saved = save(harness, integration, metadata=metadata)
        assert saved.metadata["accountIdentifier"] == "ada@example.com"
    changed = harness.services.connections.update(integration, made.id, metadata={"team": "hr"}, user_id="alice")
    assert changed.metadata["accountIdentifier"] == "ada@example.com"


def test_new_projects_are_added_without_a_second_connection(
    harness: ServiceHarness, integration: Integration
) -> None:
    """To Activepieces, the same external id with other projects is another connection."""
    other = harness.new_project()
    first = save(harness, integration)

    wider = save(harness, integration, projects=[other, integration.project_id], for_new=True)
    narrower = save(harness, integration, projects=[integration.project_id], for_new=False)

    assert {first.id} == {wider.id, narrower.id} == {row.id for row in platform_destination(harness)}
    assert set(wider.project_ids) == {other, integration.project_id}
    assert wider.pre_select_for_new_projects
    assert narrower.project_ids == (integration.project_id,)
    assert not narrower.pre_select_for_new_projects


def test_a_rejected_value_leaves_the_projects_unchanged(harness: ServiceHarness, integration: Integration) -> None:
    first = save(harness, integration)

    with pytest.raises(ConnectionValueRejected):
        save(harness, integration, value="wrong", projects=[integration.project_id, harness.new_project()])

    assert [row.project_ids for row in platform_destination(harness)] == [first.project_ids]


@pytest.mark.parametrize("projects", [[], ["x" * 21]], ids=["none", "only another"])
def test_the_integrations_own_project_is_always_among_them(
    harness: ServiceHarness, integration: Integration, projects: list[str]
) -> None:
    harness.upstream.calls.clear()

    with pytest.raises(InvalidInput, match=integration.project_id):
        save(harness, integration, projects=projects)

    assert harness.upstream.calls == []


def test_a_missing_project_is_reported(harness: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(ResourceNotFound, match="Project"):
        save(harness, integration, projects=[integration.project_id, "x" * 21])

    assert platform_destination(harness) == []
    assert harness.rows("leases") == []


def test_a_project_connection_may_have_the_same_name(harness: ServiceHarness, integration: Integration) -> None:
    of_all, of_one = save(harness, integration, "Slack"), harness.save(integration, "Slack")

    assert of_all.id != of_one.id
    assert of_all.external_id != of_one.external_id
    # Each external id leads to its own connection.
    again = save(harness, integration, "New", external_id=of_all.external_id)
    assert (again.id, again.display_name) == (of_all.id, "New")


def test_it_is_updated_and_deleted_like_any_other(harness: ServiceHarness, integration: Integration) -> None:
    made = save(harness, integration)
    connections = harness.services.connections

    renamed = connections.update(integration, made.id, display_name="New", user_id="alice")
    connections.delete(integration, made.id, user_id="alice")

    assert (renamed.id, renamed.display_name) == (made.id, "New")
    assert platform_destination(harness) == []
    assert harness.event_names[-1] == "connection.deleted"


def test_a_deletion_with_a_lost_response_is_noticed(harness: ServiceHarness, integration: Integration) -> None:
    made = save(harness, integration)
    harness.upstream.faults.drop_response("DELETE", "/global-connections/*")

    harness.services.connections.delete(integration, made.id, user_id="alice")

    assert harness.event_names[-1] == "connection.deleted"


# --- One at a time ----------------------------------------------------------------------------------


def test_simultaneous_saves_of_one_name_make_one(
    harness: ServiceHarness, integration: Integration, connections_in_use: list[int]
) -> None:
    patient, other = replace(harness, sleep=time.sleep), harness.new_project()
    projects = [[integration.project_id], [integration.project_id, other]]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: save(patient, integration, projects=projects[n % 2]), range(8)))

    connections_in_use.clear()  # ignore the connections of the other threads
    assert len({connection.id for connection in made}) == 1
    assert len(platform_destination(harness)) == 1
    assert harness.rows("leases") == []


def test_no_other_request_saves_it_while_the_outcome_is_unknown(
    harness: ServiceHarness, integration: Integration
) -> None:
    harness.upstream.faults.drop_response("POST", "/global-connections")
    with pytest.raises(ConnectionFailed):
        save(harness, integration)

    with pytest.raises(Locked):
        save(harness, integration)

    assert harness.save(integration, "For all").scope == "PROJECT"


def test_a_failed_lookup_does_not_block_saving(harness: ServiceHarness, integration: Integration) -> None:
    harness.upstream.faults.reset_connection("GET", "/global-connections", times=None)
    with pytest.raises(ConnectionFailed):
        save(harness, integration)

    harness.upstream.faults.clear()

    assert save(harness, integration).scope == "PLATFORM"


# --- Not supported -----------------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False], ids=["a shared project", "a project of its own"])
def test_it_is_not_created_with_the_apps_own_key(harness: ServiceHarness, shared: bool) -> None:
    project_id = harness.new_project() if shared else None
    app = harness.with_app_key(project_id=project_id)
    integration = app.set_up(tenant_id=app.tenant)
    app.upstream.calls.clear()

    with pytest.raises(CallNotSupported, match="a key of its own"):
        save(app, integration)

    assert app.upstream.calls == []


@pytest.fixture
def without_plan(upstream: ActivepiecesServer) -> Iterator[None]:
    upstream.state.plan.clear()
    yield
    upstream.state.plan.update(FEATURES)


@pytest.mark.usefixtures("without_plan")
def test_a_plan_without_global_connections_is_reported(harness: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(PlanUpgradeRequired):
        save(harness, integration)


def test_a_user_who_does_not_manage_the_platform_gets_an_error(harness: ServiceHarness) -> None:
    member = standin(harness.upstream).by_member("Editor")
    integration = harness.set_up(user_token=member.token, project_id=harness.upstream.project_id)

    with pytest.raises(PermissionDenied):
        save(harness, integration)


def test_the_community_edition_has_none(harness: ServiceHarness) -> None:
    pieces = acme_pieces("https://acme.example")
    with ActivepiecesServer(edition="ce", pieces=pieces) as community:
        there = replace(harness, upstream=community, events=[])
        integration = there.set_up(user_token=community.user_token(), project_id=community.project_id)

        with pytest.raises(EditionNotSupported, match="scope PROJECT"):
            save(there, integration)

        assert there.save(integration, piece_name=SECRET_PIECE).scope == "PROJECT"
