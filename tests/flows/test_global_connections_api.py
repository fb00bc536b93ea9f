"""Platform connections through the JSON API: created by admins, for several projects."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_activepieces.host.interface import Permission, Principal
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.acme import acme_pieces
from tests.support.actors import answer_of
from tests.support.api_user import PIECE, ApiUser
from tests.support.hosts import SmallHost
from tests.support.problems import problem
from tests.support.standin import Standin


class HostWithEditors(SmallHost):
    """Users who are not admins have every permission except admin."""

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return permission != "admin" or super().allows(principal, permission)


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(
        host=HostWithEditors(), ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key, VERSION="4.2"
    )


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    """The admin of Acme."""
    return ApiUser.named(app, "alice")


@pytest.fixture
def bob(app: Flask, integration: str) -> ApiUser:
    """A member of Acme who may edit."""
    return ApiUser.named(app, "bob")


@pytest.fixture
def integration(alice: ApiUser, server: ActivepiecesServer) -> str:
    """Acme's integration, with its own key."""
    return alice.links(apiKey=server.api_key, projectId=server.project_id)


@pytest.fixture
def other_project(server: ActivepiecesServer) -> str:
    """Another project of the platform."""
    created = Standin(server, server.api_key).post("/projects", {"displayName": "Other"})
    return str(created["id"])


def test_an_admin_creates_a_connection_for_several_projects(
    alice: ApiUser, integration: str, server: ActivepiecesServer, other_project: str
) -> None:
    projects = [server.project_id, other_project]

    created = alice.saves(scope="PLATFORM", projectIds=projects, preSelectForNewProjects=True)

    assert (created["scope"], created["status"]) == ("PLATFORM", "ACTIVE")
    assert created["projectIds"] == projects
    assert created["preSelectForNewProjects"] is True


def test_saving_under_the_same_name_changes_the_projects(
    alice: ApiUser, integration: str, server: ActivepiecesServer, other_project: str
) -> None:
    first = alice.saves(scope="PLATFORM")
    projects = [server.project_id, other_project]

    wider = alice.saves(scope="PLATFORM", projectIds=projects)
    unchanged = alice.saves(scope="PLATFORM")

    assert first["projectIds"] == [server.project_id]
    assert (wider["id"], wider["projectIds"]) == (first["id"], projects)
    assert (unchanged["id"], unchanged["projectIds"]) == (first["id"], projects)


def test_a_platform_connection_can_be_listed_renamed_and_deleted(alice: ApiUser, integration: str) -> None:
    created = alice.saves(scope="PLATFORM")
    alice.saves("Of the project")
    path = f"/connections/{integration}/{created['id']}"

    (listed,) = answer_of(alice.gets(f"/connections/{integration}", scope="PLATFORM"))["data"]
    renamed = answer_of(alice.patches(path, {"displayName": "Renamed"}))

    assert listed["id"] == created["id"]
    assert renamed["displayName"] == "Renamed"
    assert alice.deletes(path).status_code == 204
    assert alice.gets(path).status_code == 404


def test_an_editor_can_only_create_project_connections(bob: ApiUser, server: ActivepiecesServer) -> None:
    body = {"accessToken": "ok-x", "connectionName": "Mine", "pieceName": PIECE}
    server.calls.clear()

    refused = bob.posts("/connection", body | {"scope": "PLATFORM"})

    assert "'admin'" in problem(refused, 403, "Not allowed")["detail"]
    assert server.calls == []
    assert answer_of(bob.posts("/connection", body), 201)["scope"] == "PROJECT"


def test_an_editor_cannot_change_connections_that_other_projects_use(
    alice: ApiUser, bob: ApiUser, integration: str
) -> None:
    platform, project = alice.saves("Wide", scope="PLATFORM"), alice.saves("Own")
    platform_path, project_path = (f"/connections/{integration}/{created['id']}" for created in (platform, project))
    replacement = {"sourceAppConnectionId": platform["id"], "targetAppConnectionId": project["id"]}

    for refused in (
        bob.patches(platform_path, {"displayName": "Mine"}),
        bob.deletes(platform_path),
        bob.deletes(platform_path, force="true"),
        bob.posts(f"/connections/{integration}/replace", replacement),
    ):
        assert "'admin'" in problem(refused, 403, "Not allowed")["detail"]

    assert answer_of(alice.gets(platform_path))["displayName"] == "Wide"
    assert answer_of(bob.patches(project_path, {"displayName": "Renamed"}))["displayName"] == "Renamed"
    assert bob.deletes(project_path).status_code == 204


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scope": "GALAXY"}, "scope"),
        ({"projectIds": ["p"]}, "projectIds"),
        ({"scope": "PROJECT", "projectIds": ["p"]}, "projectIds"),
        ({"preSelectForNewProjects": True}, "preSelectForNewProjects"),
        ({"scope": "PLATFORM", "projectId": "p"}, "projectId"),
        ({"scope": "PLATFORM", "projectIds": []}, "projectIds"),
        ({"scope": "PLATFORM", "projectIds": ["p"]}, "projectIds"),
        ({"scope": "PLATFORM", "projectIds": "p"}, "projectIds"),
        ({"scope": "PLATFORM", "preSelectForNewProjects": "perhaps"}, "preSelectForNewProjects"),
    ],
)
def test_an_invalid_field_is_named_before_any_call_to_activepieces(
    alice: ApiUser, integration: str, server: ActivepiecesServer, changes: dict[str, Any], field: str
) -> None:
    server.calls.clear()
    body = {"accessToken": "ok-x", "connectionName": "Mine", "pieceName": PIECE} | changes

    error = problem(alice.posts("/connection", body), 422, "Invalid input")

    assert list(error["fields"]) == [field]
    assert server.calls == []


def test_a_platform_connection_needs_the_tenants_own_key(alice: ApiUser) -> None:
    alice.links()
    body = {"accessToken": "ok-x", "pieceName": PIECE, "scope": "PLATFORM"}

    error = problem(alice.posts("/connection", body), 409, "Not possible with this credential")

    assert "a key of its own" in error["detail"]


def test_a_plan_without_platform_connections_is_reported(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    server.state.plan.clear()
    body = {"accessToken": "ok-x", "pieceName": PIECE, "scope": "PLATFORM"}

    problem(alice.posts("/connection", body), 409, "Not in the plan")


def test_an_edition_without_platform_connections_is_reported(make_app: MakeApp) -> None:
    with ActivepiecesServer(edition="ce", pieces=acme_pieces("https://acme.example")) as community:
        alice = ApiUser.named(make_app(ACTIVEPIECES_BASE_URL=community.url), "alice")
        alice.links(userToken=community.user_token(), projectId=community.project_id)
        body = {"accessToken": "ok-x", "pieceName": PIECE, "scope": "PLATFORM"}

        error = problem(alice.posts("/connection", body), 409, "Not in this edition")

    assert "scope PROJECT" in error["detail"]
