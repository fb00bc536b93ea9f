"""Connections of the whole platform: made by tenants with a key of their own, for the projects that they name."""

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
from flask_activepieces.api_client.resources.connection_values import (
    BasicAuth,
    CustomAuth,
    NoAuth,
    SecretText,
    Value,
)
from flask_activepieces.api_client.resources.connections import Connection
from flask_activepieces.errors import InvalidInput, Locked, NotFound
from flask_activepieces.integrations.connections import ownership
from flask_activepieces.integrations.connections.lookup import ConnectionFilter
from flask_activepieces.integrations.connections.new_connection import (
    NewConnection,
    PlatformSharing,
)
from flask_activepieces.integrations.store import Integration
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.state import FEATURES
from tests.support.acme import acme_pieces
from tests.support.office import SECRET_PIECE, Office
from tests.support.standin import standin


@pytest.fixture
def integration(office: Office) -> Integration:
    return office.set_up()


def save(
    office: Office,
    integration: Integration,
    name: str = "For all",
    value: str = "ok-for-all",
    *,
    projects: list[str] | None = None,
    for_new: bool | None = None,
    **more: Any,
) -> Connection:
    platform_sharing = PlatformSharing(project_ids=projects, pre_select_for_new_projects=for_new)
    return office.save(integration, name, value, platform_sharing=platform_sharing, **more)


def platform_destination(office: Office) -> list[Connection]:
    """What the platform has of this tenant."""
    integration = office.services.integrations.list_for_tenant(office.tenant)[0]
    prefix = ownership.external_id(integration, "x", platform=True)[:-1]
    rows = office.key().global_connections.list()
    return [row for row in rows if row.external_id.startswith(prefix)]


def drops_metadata(office: Office, connection: Connection) -> None:
    """What a real server does to connections of the platform, when they are made and when they are changed."""
    office.upstream.state.store.change("app_connection", connection.id, metadata=None)


def test_it_is_the_whole_platforms_and_says_whose_it_is(
    office: Office, integration: Integration
) -> None:
    made = save(office, integration)

    assert (made.scope, made.status, made.type) == ("PLATFORM", "ACTIVE", "SECRET_TEXT")
    assert made.project_ids == (integration.project_id,)
    assert not made.pre_select_for_new_projects
    assert [connection.id for connection in platform_destination(office)] == [made.id]
    assert office.told[-1] == "connection.saved"
    found = office.services.connections.list(integration, ConnectionFilter(scope="PLATFORM"))
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
def test_every_kind_of_value(
    office: Office, integration: Integration, value: Value, piece: str
) -> None:
    name = f"@activepieces/piece-acme-{piece}"
    new = NewConnection(value=value, piece_name=name, platform_sharing=PlatformSharing())

    made = office.services.connections.save(integration, new, user_id="alice")

    assert (made.type, made.scope) == (value.type, "PLATFORM")


def test_the_same_name_again_gives_it_another_value_and_keeps_the_rest(
    office: Office, integration: Integration
) -> None:
    other = office.new_project()
    projects = [integration.project_id, other]
    first = save(office, integration, projects=projects, for_new=True)

    again = save(office, integration, value="ok-2")

    assert again.id == first.id
    assert again.project_ids == tuple(projects)
    assert again.pre_select_for_new_projects


def test_without_its_metadata_it_is_still_its_tenants_and_no_other_organizations(
    office: Office, integration: Integration
) -> None:
    """All three have a key to the same project: what names nobody would be everybody's."""
    same = {"api_key": office.upstream.api_key, "project_id": integration.project_id}
    labs = office.set_up(tenant_id=office.tenant, organization_id="labs", **same)
    globex = office.set_up(tenant_id=f"{office.tenant}-globex", **same)
    made = save(office, integration)
    drops_metadata(office, made)

    seen = {
        one.id: [row.id for row in office.services.connections.list(one)]
        for one in (integration, labs, globex)
    }
    renamed = office.services.connections.update(
        integration, made.id, display_name="New", user_id="alice"
    )

    assert seen == {integration.id: [made.id], labs.id: [], globex.id: []}
    assert renamed.display_name == "New"
    for stranger in (labs, globex):
        with pytest.raises(NotFound):
            office.services.connections.delete(stranger, made.id, user_id="mallory")


def test_the_same_name_again_finds_it_without_its_metadata(
    office: Office, integration: Integration
) -> None:
    first = save(office, integration)
    drops_metadata(office, first)

    assert save(office, integration, value="ok-2").id == first.id


def test_what_activepieces_noted_of_the_account_is_sent_along(
    office: Office, integration: Integration
) -> None:
    """For a server that keeps the metadata of such connections."""
    made = save(office, integration)
    noted = {"accountIdentifier": "ada@example.com"}
    office.upstream.state.store.change("app_connection", made.id, metadata=noted)

    for metadata in (None, {"team": "it"}):
        saved = save(office, integration, metadata=metadata)
        assert saved.metadata["accountIdentifier"] == "ada@example.com"
    changed = office.services.connections.update(
        integration, made.id, metadata={"team": "hr"}, user_id="alice"
    )
    assert changed.metadata["accountIdentifier"] == "ada@example.com"


def test_other_projects_may_use_it_from_now_on_and_no_second_one_is_made(
    office: Office, integration: Integration
) -> None:
    """To Activepieces, the same external id with other projects is another connection."""
    other = office.new_project()
    first = save(office, integration)

    wider = save(office, integration, projects=[other, integration.project_id], for_new=True)
    narrower = save(office, integration, projects=[integration.project_id], for_new=False)

    assert {first.id} == {wider.id, narrower.id} == {row.id for row in platform_destination(office)}
    assert set(wider.project_ids) == {other, integration.project_id}
    assert wider.pre_select_for_new_projects
    assert narrower.project_ids == (integration.project_id,)
    assert not narrower.pre_select_for_new_projects


def test_a_value_that_the_piece_refuses_leaves_the_projects_as_they_are(
    office: Office, integration: Integration
) -> None:
    first = save(office, integration)

    with pytest.raises(ConnectionValueRejected):
        save(
            office,
            integration,
            value="wrong",
            projects=[integration.project_id, office.new_project()],
        )

    assert [row.project_ids for row in platform_destination(office)] == [first.project_ids]


@pytest.mark.parametrize("projects", [[], ["x" * 21]], ids=["none", "only another"])
def test_the_integrations_own_project_is_always_among_them(
    office: Office, integration: Integration, projects: list[str]
) -> None:
    office.upstream.calls.clear()

    with pytest.raises(InvalidInput, match=integration.project_id):
        save(office, integration, projects=projects)

    assert office.upstream.calls == []


def test_a_project_that_is_not_there_is_told(office: Office, integration: Integration) -> None:
    with pytest.raises(ResourceNotFound, match="Project"):
        save(office, integration, projects=[integration.project_id, "x" * 21])

    assert platform_destination(office) == []
    assert office.rows("leases") == []


def test_a_project_has_a_connection_of_the_same_name_beside_it(
    office: Office, integration: Integration
) -> None:
    of_all, of_one = save(office, integration, "Slack"), office.save(integration, "Slack")

    assert of_all.id != of_one.id
    assert of_all.external_id != of_one.external_id
    # Given back, each leads to its own.
    again = save(office, integration, "New", external_id=of_all.external_id)
    assert (again.id, again.display_name) == (of_all.id, "New")


def test_it_is_renamed_and_deleted_as_any_other(office: Office, integration: Integration) -> None:
    made = save(office, integration)
    connections = office.services.connections

    renamed = connections.update(integration, made.id, display_name="New", user_id="alice")
    connections.delete(integration, made.id, user_id="alice")

    assert (renamed.id, renamed.display_name) == (made.id, "New")
    assert platform_destination(office) == []
    assert office.told[-1] == "connection.deleted"


def test_a_deletion_whose_answer_gets_lost_is_noticed(
    office: Office, integration: Integration
) -> None:
    made = save(office, integration)
    office.upstream.faults.drop_response("DELETE", "/global-connections/*")

    office.services.connections.delete(integration, made.id, user_id="alice")

    assert office.told[-1] == "connection.deleted"


# --- One at a time ----------------------------------------------------------------------------------


def test_simultaneous_saves_of_one_name_make_one(
    office: Office, integration: Integration, held: list[int]
) -> None:
    patient, other = replace(office, sleep=time.sleep), office.new_project()
    projects = [[integration.project_id], [integration.project_id, other]]

    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda n: save(patient, integration, projects=projects[n % 2]), range(8))
        )

    held.clear()  # those that another thread used just then
    assert len({connection.id for connection in made}) == 1
    assert len(platform_destination(office)) == 1
    assert office.rows("leases") == []


def test_while_the_outcome_is_unknown_nobody_else_saves_it(
    office: Office, integration: Integration
) -> None:
    office.upstream.faults.drop_response("POST", "/global-connections")
    with pytest.raises(ConnectionFailed):
        save(office, integration)

    with pytest.raises(Locked):
        save(office, integration)

    assert office.save(integration, "For all").scope == "PROJECT"


def test_a_look_that_fails_keeps_nobody_from_saving(
    office: Office, integration: Integration
) -> None:
    office.upstream.faults.reset_connection("GET", "/global-connections", times=None)
    with pytest.raises(ConnectionFailed):
        save(office, integration)

    office.upstream.faults.clear()

    assert save(office, integration).scope == "PLATFORM"


# --- Where it is not possible -----------------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False], ids=["a shared project", "a project of its own"])
def test_it_is_not_made_with_the_apps_own_key(office: Office, shared: bool) -> None:
    project_id = office.new_project() if shared else None
    app = office.on_the_apps_key(project_id=project_id)
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
def test_a_plan_without_it_is_told(office: Office, integration: Integration) -> None:
    with pytest.raises(PlanUpgradeRequired):
        save(office, integration)


def test_a_user_who_does_not_manage_the_platform_is_told_so(office: Office) -> None:
    member = standin(office.upstream).by_member("Editor")
    integration = office.set_up(user_token=member.token, project_id=office.upstream.project_id)

    with pytest.raises(PermissionDenied):
        save(office, integration)


def test_the_community_edition_has_none(office: Office) -> None:
    pieces = acme_pieces("https://acme.example")
    with ActivepiecesServer(edition="ce", pieces=pieces) as community:
        there = replace(office, upstream=community, events=[])
        integration = there.set_up(
            user_token=community.user_token(), project_id=community.project_id
        )

        with pytest.raises(EditionNotSupported, match="scope PROJECT"):
            save(there, integration)

        assert there.save(integration, piece_name=SECRET_PIECE).scope == "PROJECT"
