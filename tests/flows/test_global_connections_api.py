"""Connections of the whole platform through the JSON API: made by admins, for several projects."""

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
    """Who is no admin may do anything but what takes one."""

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return permission != "admin" or super().allows(principal, permission)


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(
        host=HostWithEditors(),
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        VERSION="4.2",
    )


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    """The admin of Acme."""
    return ApiUser.named(app, "alice")


@pytest.fixture
def bob(app: Flask, integration: str) -> ApiUser:
    """Somebody of Acme who may edit."""
    return ApiUser.named(app, "bob")


@pytest.fixture
def integration(alice: ApiUser, server: ActivepiecesServer) -> str:
    """Acme's, with a key of its own."""
    return alice.links(apiKey=server.api_key, projectId=server.project_id)


@pytest.fixture
def other_project(server: ActivepiecesServer) -> str:
    """Another project of the platform."""
    made = Standin(server, server.api_key).post("/projects", {"displayName": "Other"})
    return str(made["id"])


def test_an_admin_makes_one_for_several_projects(
    alice: ApiUser, integration: str, server: ActivepiecesServer, other_project: str
) -> None:
    projects = [server.project_id, other_project]

    made = alice.saves(scope="PLATFORM", projectIds=projects, preSelectForNewProjects=True)

    assert (made["scope"], made["status"]) == ("PLATFORM", "ACTIVE")
    assert made["projectIds"] == projects
    assert made["preSelectForNewProjects"] is True


def test_the_same_name_again_changes_the_projects(
    alice: ApiUser, integration: str, server: ActivepiecesServer, other_project: str
) -> None:
    first = alice.saves(scope="PLATFORM")
    projects = [server.project_id, other_project]

    wider = alice.saves(scope="PLATFORM", projectIds=projects)
    kept = alice.saves(scope="PLATFORM")

    assert first["projectIds"] == [server.project_id]
    assert (wider["id"], wider["projectIds"]) == (first["id"], projects)
    assert (kept["id"], kept["projectIds"]) == (first["id"], projects)


def test_it_is_listed_renamed_and_deleted_as_any_other(alice: ApiUser, integration: str) -> None:
    made = alice.saves(scope="PLATFORM")
    alice.saves("Of the project")
    there = f"/connections/{integration}/{made['id']}"

    (listed,) = answer_of(alice.gets(f"/connections/{integration}", scope="PLATFORM"))["data"]
    renamed = answer_of(alice.patches(there, {"displayName": "Renamed"}))

    assert listed["id"] == made["id"]
    assert renamed["displayName"] == "Renamed"
    assert alice.deletes(there).status_code == 204
    assert alice.gets(there).status_code == 404


def test_who_may_only_edit_makes_connections_of_the_project_only(
    bob: ApiUser, server: ActivepiecesServer
) -> None:
    body = {"accessToken": "ok-x", "connectionName": "Mine", "pieceName": PIECE}
    server.calls.clear()

    refused = bob.posts("/connection", body | {"scope": "PLATFORM"})

    assert "'admin'" in problem(refused, 403, "Not allowed")["detail"]
    assert server.calls == []
    assert answer_of(bob.posts("/connection", body), 201)["scope"] == "PROJECT"


def test_who_may_only_edit_changes_none_that_other_projects_use(
    alice: ApiUser, bob: ApiUser, integration: str
) -> None:
    wide, own = alice.saves("Wide", scope="PLATFORM"), alice.saves("Own")
    there, here = (f"/connections/{integration}/{made['id']}" for made in (wide, own))
    swap = {"sourceAppConnectionId": wide["id"], "targetAppConnectionId": own["id"]}

    for refused in (
        bob.patches(there, {"displayName": "Mine"}),
        bob.deletes(there),
        bob.deletes(there, force="true"),
        bob.posts(f"/connections/{integration}/replace", swap),
    ):
        assert "'admin'" in problem(refused, 403, "Not allowed")["detail"]

    assert answer_of(alice.gets(there))["displayName"] == "Wide"
    assert answer_of(bob.patches(here, {"displayName": "Renamed"}))["displayName"] == "Renamed"
    assert bob.deletes(here).status_code == 204


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
def test_what_does_not_fit_is_named_before_activepieces_is_asked(
    alice: ApiUser,
    integration: str,
    server: ActivepiecesServer,
    changes: dict[str, Any],
    field: str,
) -> None:
    server.calls.clear()
    body = {"accessToken": "ok-x", "connectionName": "Mine", "pieceName": PIECE} | changes

    told = problem(alice.posts("/connection", body), 422, "Invalid input")

    assert list(told["fields"]) == [field]
    assert server.calls == []


def test_it_takes_a_key_of_the_tenants_own(alice: ApiUser) -> None:
    alice.links()
    body = {"accessToken": "ok-x", "pieceName": PIECE, "scope": "PLATFORM"}

    told = problem(alice.posts("/connection", body), 409, "Not possible with this credential")

    assert "a key of its own" in told["detail"]


def test_a_plan_without_it_says_so(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    server.state.plan.clear()
    body = {"accessToken": "ok-x", "pieceName": PIECE, "scope": "PLATFORM"}

    problem(alice.posts("/connection", body), 409, "Not in the plan")


def test_an_edition_without_it_says_so(make_app: MakeApp) -> None:
    with ActivepiecesServer(edition="ce", pieces=acme_pieces("https://acme.example")) as community:
        alice = ApiUser.named(make_app(ACTIVEPIECES_BASE_URL=community.url), "alice")
        alice.links(userToken=community.user_token(), projectId=community.project_id)
        body = {"accessToken": "ok-x", "pieceName": PIECE, "scope": "PLATFORM"}

        told = problem(alice.posts("/connection", body), 409, "Not in this edition")

    assert "scope PROJECT" in told["detail"]
