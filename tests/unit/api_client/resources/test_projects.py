"""Projects: found by the host's ids, and created with names that Activepieces accepts."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client.errors import Conflict, InvalidRequest, ResourceNotFound, ServerError
from flask_activepieces.api_client.resources.projects import Project, Projects, project_name
from flask_activepieces.api_client.resources.resource import NO_LIMIT
from flask_activepieces.errors import InvalidInput
from tests.support.calls import FakeTransport, answer, says

TENANT_ONE = Project(
    id="H4SMHoAgJs8TNlXiaOIoV",
    display_name="Tenant One",
    platform_id="qQnsmKagCnxENqoYPvJCq",
    owner_id="yS9QP3XnuFH1SNAjE3D4g",
    type="TEAM",
    external_id="tenant-1",
    metadata={"plan": "gold"},
    created="2026-11-20T18:18:18.513Z",
    updated="2026-11-20T18:18:18.513Z",
)


def test_projects_are_listed_with_one_call() -> None:
    """A cursor would skip rows that were created within one second."""
    transport = says("projects list (user)")

    (project,) = Projects(transport).list(display_name="Local")

    assert (project.display_name, project.type) == ("Local platform's Project", "PERSONAL")
    assert project.external_id is None
    assert project.metadata == {}
    assert transport.lines == ["GET /projects"]
    assert transport.last.query == {"displayName": "Local", "limit": NO_LIMIT}


def test_a_project_is_found_by_its_external_id() -> None:
    transport = says("projects list by externalId")

    assert Projects(transport).find("tenant-1") == TENANT_ONE
    assert transport.last.query == {"externalId": "tenant-1", "limit": NO_LIMIT}


def test_a_missing_project_is_none() -> None:
    assert Projects(says("projects list by unknown externalId")).find("nope") is None


def test_a_server_without_the_filter_finds_no_wrong_project() -> None:
    """It would return all projects, and the first is another tenant's."""
    assert Projects(says("projects list (user)")).find("tenant-1") is None


def test_an_empty_external_id_is_rejected_without_a_call() -> None:
    transport = says()

    with pytest.raises(InvalidInput):
        Projects(transport).find("")

    assert transport.calls == []


def test_a_project_is_fetched_by_id() -> None:
    transport = says("projects create")

    assert Projects(transport).get(TENANT_ONE.id) == TENANT_ONE
    assert transport.lines == [f"GET /projects/{TENANT_ONE.id}"]


def test_a_deleted_project_is_not_found() -> None:
    with pytest.raises(ResourceNotFound) as missing:
        Projects(says("projects get deleted")).get("KBr6wQQr5v5OS0ldDSYMK")

    assert missing.value.operation == "projects.get"


def test_a_project_id_cannot_lead_to_another_route() -> None:
    transport = says("projects create")

    Projects(transport).get("../users?x=")

    assert transport.lines == ["GET /projects/..%2Fusers%3Fx%3D"]


def test_a_project_is_created() -> None:
    transport = says("projects create")

    made = Projects(transport).create("Tenant One", external_id="tenant-1", metadata={"plan": "gold"})

    assert made == TENANT_ONE
    assert transport.lines == ["POST /projects"]
    assert transport.last.body == {
        "displayName": "Tenant One",
        "externalId": "tenant-1",
        "metadata": {"plan": "gold"},
    }
    assert not transport.last.is_repeatable


def test_omitted_fields_are_not_sent() -> None:
    transport = says("projects create")

    Projects(transport).create("Tenant One")

    assert transport.last.body == {"displayName": "Tenant One"}


def test_an_external_id_that_is_taken_is_a_conflict() -> None:
    """Activepieces answers 500 with the code of its database."""
    with pytest.raises(Conflict) as taken:
        Projects(says("projects create same externalId")).create("b", external_id="tenant-1")

    assert taken.value.code == "23505"
    assert "external id" in taken.value.detail


def test_other_server_errors_are_not_conflicts() -> None:
    transport = FakeTransport([answer(500, {"code": "22021", "message": "invalid byte sequence"})])

    with pytest.raises(ServerError) as fault:
        Projects(transport).create("b")

    assert fault.value.code == "22021"


@pytest.mark.parametrize("name", ["", "acme.com", "a/b"])
def test_an_invalid_name_is_not_sent(name: str) -> None:
    transport = says()

    with pytest.raises(InvalidInput):
        Projects(transport).create(name)
    with pytest.raises(InvalidInput):
        Projects(transport).update("H4SMHoAgJs8TNlXiaOIoV", display_name=name)

    assert transport.calls == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Acme", "Acme"),
        ("acme.com", "acme com"),
        (" a/b. c ", "a b c"),
        ("Ünïcode 株式会社", "Ünïcode 株式会社"),
        ("...", "Project"),
        ("", "Project"),
    ],
)
def test_project_name_makes_a_valid_name(text: str, name: str) -> None:
    assert project_name(text) == name


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"display_name": "New"}, {"displayName": "New"}),
        ({"external_id": "t-2"}, {"externalId": "t-2"}),
        ({"metadata": {}}, {"metadata": {}}),
    ],
)
def test_an_update_sends_only_changes_and_is_repeatable(changes: dict[str, Any], body: dict[str, Any]) -> None:
    transport = says("projects update")

    changed = Projects(transport).update("H4SMHoAgJs8TNlXiaOIoV", **changes)

    assert changed.display_name == "Tenant 1 renamed"
    assert transport.lines == ["POST /projects/H4SMHoAgJs8TNlXiaOIoV"]
    assert transport.last.body == body
    assert transport.last.is_repeatable


def test_a_project_is_deleted() -> None:
    transport = says("projects delete")

    Projects(transport).delete("KBr6wQQr5v5OS0ldDSYMK")

    assert transport.lines == ["DELETE /projects/KBr6wQQr5v5OS0ldDSYMK"]


def test_a_personal_project_cannot_be_deleted() -> None:
    with pytest.raises(Conflict) as refused:
        Projects(says("projects delete personal")).delete("CVjZA7zWmYdAC9PqL7HXq")

    assert refused.value.detail == "Personal projects cannot be deleted"


def test_a_rejection_has_the_message_of_activepieces() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Projects(says("projects create missing displayName")).create("x")

    assert "displayName" in refused.value.detail
