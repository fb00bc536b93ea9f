"""Invitations, users, members and the platform's OAuth apps on the stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.testing import ActivepiecesServer
from tests.support.standin import Standin
from tests.support.standin import standin as calls


def invitation(standin: Standin, email: str, role: str) -> dict[str, Any]:
    project_id = standin.server.project_id
    return {"type": "PROJECT", "email": email, "projectId": project_id, "projectRole": role}


def sign_up(standin: Standin, email: str) -> Any:
    names = {"firstName": "In", "lastName": "Vited", "trackEvents": False, "newsLetter": False}
    who = {"email": email, "password": "their-pass-1"}
    return standin.ask("POST", "/authentication/sign-up", {**who, **names})


def test_sign_up_requires_an_invitation(standin: Standin) -> None:
    answer = sign_up(standin, "bob@example.com")

    assert answer.status_code == 403
    assert answer.get_json()["code"] == "INVITATION_ONLY_SIGN_UP"


def test_an_invitation_by_a_user_must_be_accepted(standin: Standin) -> None:
    invited = standin.by_admin().post("/user-invitations", invitation(standin, "Bob@Example.com", "Editor"))
    token = invited["link"].partition("token=")[2].partition("&")[0]

    assert invited["status"] == "PENDING"
    assert sign_up(standin, "bob@example.com").status_code == 403
    followed = standin.post("/user-invitations/accept", {"invitationToken": token})
    assert followed == {"registered": False}
    session = sign_up(standin, "bob@example.com").get_json()
    projects = standin.by(session["token"]).get("/projects")["data"]
    assert [project["type"] for project in projects] == ["PERSONAL", "TEAM"]


def test_inviting_again_changes_the_role_under_a_new_id(standin: Standin) -> None:
    first = standin.post("/user-invitations", invitation(standin, "bob@example.com", "viewer"))
    sign_up(standin, "bob@example.com")
    second = standin.post("/user-invitations", invitation(standin, "bob@example.com", "EDITOR"))

    project_id = standin.server.project_id
    found = standin.get(f"/user-invitations?type=PROJECT&projectId={project_id}")["data"]
    assert [one["id"] for one in found] == [second["id"]] != [first["id"]]
    members = standin.get(f"/project-members?projectId={project_id}")["data"]
    assert [member["projectRole"]["name"] for member in members] == ["Editor"]


def test_a_role_that_does_not_exist_is_not_found(standin: Standin) -> None:
    answer = standin.ask("POST", "/user-invitations", invitation(standin, "bob@example.com", "Boss"))

    assert answer.status_code == 404


def test_only_admins_withdraw_invitations(standin: Standin) -> None:
    body = {"type": "PLATFORM", "email": "bob@example.com", "platformRole": "MEMBER"}
    invited = standin.post("/user-invitations", body)
    path = f"/user-invitations/{invited['id']}"

    assert standin.by_member("Editor").ask("DELETE", path).status_code == 403
    assert standin.ask("DELETE", path).status_code == 204
    assert standin.ask("DELETE", path).status_code == 404
    assert sign_up(standin, "bob@example.com").status_code == 403


@pytest.mark.parametrize("path", ["/user-invitations?type=PLATFORM", "/users"])
def test_members_cannot_list_the_users_of_the_platform(standin: Standin, path: str) -> None:
    answer = standin.by_member("Editor").ask("GET", path)

    assert answer.status_code == 403
    assert answer.get_json()["code"] == "AUTHORIZATION"


def test_a_member_is_removed_from_the_project(standin: Standin) -> None:
    member = standin.by_member("Viewer")
    project = f"/projects/{standin.server.project_id}"
    found = standin.get(f"/project-members?projectId={standin.server.project_id}")["data"]

    assert member.ask("GET", project).status_code == 200
    assert standin.ask("DELETE", f"/project-members/{found[0]['id']}").status_code == 204
    assert member.ask("GET", project).status_code == 403
    assert standin.ask("DELETE", f"/project-members/{found[0]['id']}").status_code == 404


def test_a_user_is_changed_and_deleted(standin: Standin) -> None:
    standin.by_member("Viewer")
    user = standin.get("/users")["data"][1]
    path = f"/users/{user['id']}"

    assert standin.get(path) == user
    changed = standin.post(path, {"platformRole": "ADMIN", "externalId": "host-7"})
    assert changed["platformRole"] == "ADMIN"
    assert standin.get("/users?externalId=host-7")["data"] == [changed]
    assert standin.ask("DELETE", path).status_code == 204
    assert standin.ask("GET", path).status_code == 404
    assert standin.get(f"/project-members?projectId={standin.server.project_id}")["data"] == []


def test_an_oauth_app_is_one_for_each_piece_and_never_shows_its_secret(standin: Standin) -> None:
    admin = standin.by_admin()
    app = {"pieceName": "@acme/piece-crm", "clientId": "c-1", "clientSecret": "canary-2"}

    first = admin.post("/oauth-apps", app)
    second = admin.post("/oauth-apps", {**app, "clientId": "c-2"})

    assert second["id"] == first["id"]
    assert admin.get("/oauth-apps")["data"] == [second]
    assert "canary-2" not in str(standin.server.state.store.all("oauth_app"))
    assert admin.ask("DELETE", f"/oauth-apps/{first['id']}").status_code == 204
    assert admin.ask("DELETE", f"/oauth-apps/{first['id']}").status_code == 404


def test_a_community_server_has_people_and_no_keys() -> None:
    server = ActivepiecesServer(edition="ce")
    admin = calls(server).by_admin()

    assert admin.get("/user-invitations?type=PLATFORM")["data"] == []
    assert len(admin.get("/users")["data"]) == 1
    for path in ("/signing-keys", "/oauth-apps", "/global-connections", "/project-members"):
        assert admin.ask("GET", path).get_json()["message"] == "Route not found"
    server.close()
