"""Users of the platform, members of projects, and invitations to both."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client.errors import Conflict, PermissionDenied, ResourceNotFound, RouteNotFound
from flask_activepieces.api_client.resources.people import Members, User, Users
from flask_activepieces.api_client.resources.resource import NO_LIMIT
from flask_activepieces.errors import InvalidInput
from tests.support.calls import FakeTransport, answer, recorded, says

PROJECT = "H4SMHoAgJs8TNlXiaOIoV"
EVE = User(
    id="PSSXsd0Bt63IyUzDsXOzY",
    email="1f3a2c9088b383d5ea066f45e2eef5d9594d77dcdbef8ee97de4892014271d1d",
    first_name="Eve",
    last_name="Embed",
    status="ACTIVE",
    platform_role="MEMBER",
    external_id="u-1",
    created="2026-11-20T18:18:50.596Z",
    updated="2026-11-20T18:18:50.596Z",
)
EVE_JSON = {
    "id": EVE.id,
    "email": EVE.email,
    "firstName": "Eve",
    "lastName": "Embed",
    "status": "ACTIVE",
    "platformRole": "MEMBER",
    "externalId": "u-1",
    "created": EVE.created,
    "updated": EVE.updated,
}


# --- Users ----------------------------------------------------------------------------------------


def test_users_are_listed_with_one_call() -> None:
    transport = says("CE GET /api/v1/users")

    (user,) = Users(transport).list()

    assert (user.email, user.platform_role, user.external_id) == ("admin@example.com", "ADMIN", None)
    assert transport.lines == ["GET /users"]
    assert transport.last.query == {"limit": NO_LIMIT}


def test_a_user_is_found_by_external_id() -> None:
    transport = says("api key: users by externalId")

    assert Users(transport).find("u-1") == EVE
    assert transport.last.query == {"externalId": "u-1", "limit": NO_LIMIT}


def test_a_server_without_the_filter_finds_no_other_user() -> None:
    assert Users(says("CE GET /api/v1/users")).find("u-1") is None


def test_an_empty_external_id_of_a_user_is_rejected() -> None:
    transport = says()

    with pytest.raises(InvalidInput):
        Users(transport).find("")

    assert transport.calls == []


def test_a_user_is_fetched_by_id() -> None:
    transport = says(EVE_JSON)

    assert Users(transport).get(EVE.id) == EVE
    assert transport.lines == [f"GET /users/{EVE.id}"]


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"active": False}, {"status": "INACTIVE"}),
        ({"active": True}, {"status": "ACTIVE"}),
        ({"platform_role": "ADMIN"}, {"platformRole": "ADMIN"}),
        ({"external_id": "u-2"}, {"externalId": "u-2"}),
    ],
)
def test_a_user_is_updated(changes: dict[str, Any], body: dict[str, Any]) -> None:
    transport = says(EVE_JSON)

    Users(transport).update(EVE.id, **changes)

    assert transport.lines == [f"POST /users/{EVE.id}"]
    assert transport.last.body == body
    assert transport.last.is_repeatable


def test_a_user_is_deleted() -> None:
    transport = FakeTransport([answer(204)])

    Users(transport).delete(EVE.id)

    assert transport.lines == [f"DELETE /users/{EVE.id}"]


def test_signed_users_cannot_list_users() -> None:
    with pytest.raises(PermissionDenied):
        Users(says("embed user: users list")).list()


# --- Invitations ----------------------------------------------------------------------------------


def test_an_invitation_by_a_user_is_pending_and_its_link_is_secret() -> None:
    transport = says("invite to platform (user)")

    invitation = Users(transport).invite("inv1@example.com", platform_role="MEMBER")

    assert (invitation.status, invitation.type) == ("PENDING", "PLATFORM")
    assert invitation.link is not None
    assert "token" not in repr(invitation)
    assert transport.lines == ["POST /user-invitations"]
    assert transport.last.body == {"type": "PLATFORM", "email": "inv1@example.com", "platformRole": "MEMBER"}
    assert not transport.last.is_repeatable


def test_an_invitation_by_an_api_key_is_accepted_at_once() -> None:
    invitation = Users(says("invite to platform (api key)")).invite("a@b.c", platform_role="MEMBER")

    assert (invitation.status, invitation.link) == ("ACCEPTED", None)


def test_invitations_to_the_platform_are_listed() -> None:
    transport = says("invitations list PLATFORM")

    assert len(Users(transport).list_invitations()) == 3
    assert transport.last.query == {"type": "PLATFORM", "limit": NO_LIMIT}


def test_invitations_to_a_project_have_a_role() -> None:
    transport = says("invitations list PROJECT")

    invitations = Members(transport).list_invitations(PROJECT)

    roles = [each.project_role.name for each in invitations if each.project_role is not None]
    assert roles == ["Viewer", "Editor"]
    assert transport.last.query == {"type": "PROJECT", "projectId": PROJECT, "limit": NO_LIMIT}


@pytest.mark.parametrize("resource", [Users, Members])
def test_an_invitation_is_deleted_once(resource: type[Users] | type[Members]) -> None:
    transport = says("invitation delete", "invitation delete again")
    inviting = resource(transport)

    inviting.delete_invitation("wgbuYqDnsmqIkfeNqPuCl")
    with pytest.raises(ResourceNotFound):
        inviting.delete_invitation("wgbuYqDnsmqIkfeNqPuCl")

    assert transport.lines == ["DELETE /user-invitations/wgbuYqDnsmqIkfeNqPuCl"] * 2


# --- Members --------------------------------------------------------------------------------------


def test_members_are_listed_with_their_users_and_roles() -> None:
    transport = says("project-members list")

    (member,) = Members(transport).list(PROJECT)

    assert member.project_id == PROJECT
    assert member.user.email == "inv3@example.com"
    assert member.user.id == member.user_id
    assert member.project_role.name == "Viewer"
    assert "READ_FLOW" in member.project_role.permissions
    assert transport.lines == ["GET /project-members"]
    assert transport.last.query == {"projectId": PROJECT, "limit": NO_LIMIT}


def test_a_person_is_invited_to_a_project() -> None:
    transport = says("invite to project twice")

    invitation = Members(transport).invite(PROJECT, email="inv3@example.com", role="Viewer")

    assert (invitation.project_id, invitation.type) == (PROJECT, "PROJECT")
    assert transport.last.body == {
        "type": "PROJECT",
        "projectId": PROJECT,
        "email": "inv3@example.com",
        "projectRole": "Viewer",
    }


def test_an_invitation_to_a_personal_project_is_a_conflict() -> None:
    with pytest.raises(Conflict) as refused:
        Members(says("invite to personal project")).invite(PROJECT, email="a@b.c", role="Viewer")

    assert refused.value.detail == "Project must be a team project"


def test_a_member_is_removed() -> None:
    transport = FakeTransport([answer(204)])

    Members(transport).delete("Fx5j8jkVO3kLdb6Wyhpqs")

    assert transport.lines == ["DELETE /project-members/Fx5j8jkVO3kLdb6Wyhpqs"]


def test_the_community_edition_has_no_members() -> None:
    transport = FakeTransport([recorded("CE GET /api/v1/project-members")])

    with pytest.raises(RouteNotFound):
        Members(transport).list(PROJECT)
