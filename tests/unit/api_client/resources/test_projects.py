"""Projects: found by the host's own names, and made under names that Activepieces takes."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client.errors import (
    Conflict,
    InvalidRequest,
    ResourceNotFound,
    ServerError,
)
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
    """A cursor would skip rows that were made within one second."""
    transport = says("projects list (user)")

    (project,) = Projects(transport).list(display_name="Local")

    assert (project.display_name, project.type) == ("Local platform's Project", "PERSONAL")
    assert project.external_id is None
    assert project.metadata == {}
    assert transport.lines == ["GET /projects"]
    assert transport.last.query == {"displayName": "Local", "limit": NO_LIMIT}


def test_a_project_is_found_by_the_hosts_own_name_for_it() -> None:
    transport = says("projects list by externalId")

    assert Projects(transport).find("tenant-1") == TENANT_ONE
    assert transport.last.query == {"externalId": "tenant-1", "limit": NO_LIMIT}


def test_a_project_that_is_not_there_is_none() -> None:
    assert Projects(says("projects list by unknown externalId")).find("nope") is None


def test_a_server_that_does_not_know_the_filter_finds_nothing_wrong() -> None:
    """It would answer with all projects, and the first of them is somebody else's."""
    assert Projects(says("projects list (user)")).find("tenant-1") is None


def test_an_empty_name_finds_nothing_and_asks_nobody() -> None:
    transport = says()

    with pytest.raises(InvalidInput):
        Projects(transport).find("")

    assert transport.calls == []


def test_a_project_is_read_by_its_id() -> None:
    transport = says("projects create")

    assert Projects(transport).get(TENANT_ONE.id) == TENANT_ONE
    assert transport.lines == [f"GET /projects/{TENANT_ONE.id}"]


def test_a_project_that_was_deleted_is_not_there() -> None:
    with pytest.raises(ResourceNotFound) as missing:
        Projects(says("projects get deleted")).get("KBr6wQQr5v5OS0ldDSYMK")

    assert missing.value.operation == "projects.get"


def test_an_id_leads_to_no_other_route() -> None:
    transport = says("projects create")

    Projects(transport).get("../users?x=")

    assert transport.lines == ["GET /projects/..%2Fusers%3Fx%3D"]


def test_a_project_is_made() -> None:
    transport = says("projects create")

    made = Projects(transport).create(
        "Tenant One", external_id="tenant-1", metadata={"plan": "gold"}
    )

    assert made == TENANT_ONE
    assert transport.lines == ["POST /projects"]
    assert transport.last.body == {
        "displayName": "Tenant One",
        "externalId": "tenant-1",
        "metadata": {"plan": "gold"},
    }
    assert not transport.last.is_repeatable


def test_what_is_not_given_is_not_sent() -> None:
    transport = says("projects create")

    Projects(transport).create("Tenant One")

    assert transport.last.body == {"displayName": "Tenant One"}


def test_an_external_id_that_is_taken_is_a_conflict() -> None:
    """Activepieces answers 500 with the code of its database."""
    with pytest.raises(Conflict) as taken:
        Projects(says("projects create same externalId")).create("b", external_id="tenant-1")

    assert taken.value.code == "23505"
    assert "external id" in taken.value.detail


def test_another_fault_of_the_server_stays_one() -> None:
    transport = FakeTransport([answer(500, {"code": "22021", "message": "invalid byte sequence"})])

    with pytest.raises(ServerError) as fault:
        Projects(transport).create("b")

    assert fault.value.code == "22021"


@pytest.mark.parametrize("name", ["", "acme.com", "a/b"])
def test_a_name_that_activepieces_refuses_is_not_sent(name: str) -> None:
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
def test_any_text_becomes_a_name_that_activepieces_takes(text: str, name: str) -> None:
    assert project_name(text) == name


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"display_name": "New"}, {"displayName": "New"}),
        ({"external_id": "t-2"}, {"externalId": "t-2"}),
        ({"metadata": {}}, {"metadata": {}}),
    ],
)
def test_a_change_sends_what_changes_and_may_be_repeated(
    changes: dict[str, Any], body: dict[str, Any]
) -> None:
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


def test_a_personal_project_stays() -> None:
    with pytest.raises(Conflict) as refused:
        Projects(says("projects delete personal")).delete("CVjZA7zWmYdAC9PqL7HXq")

    assert refused.value.detail == "Personal projects cannot be deleted"


def test_a_refusal_says_what_activepieces_said() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Projects(says("projects create missing displayName")).create("x")

    assert "displayName" in refused.value.detail
