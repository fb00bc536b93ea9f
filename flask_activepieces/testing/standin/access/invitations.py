"""Invitations to the platform or to a project. No e-mail is sent: the inviting user gets the link."""

from __future__ import annotations

from urllib.parse import quote

from ..routing.authentication import SERVICE, check_platform_admin
from ..routing.responses import Json, Row, activepieces_error, framework_error, not_found, rule_violation, single_page
from ..routing.route_groups import PUBLIC, RouteCall, RouteGroup, in_body, in_query
from ..routing.validation import fields, one_of, optional, text, union
from ..state import ServerState
from ..store import new_id
from .people import add_user, role_named, set_member
from .projects import add_project

group = RouteGroup("invitations")

KIND = "user_invitation"
_KINDS = ("PLATFORM", "PROJECT")

_INVITE = union(
    fields({"type": one_of("PLATFORM"), "email": text(), "platformRole": one_of("ADMIN", "MEMBER", "OPERATOR")}),
    fields({"type": one_of("PROJECT"), "email": text(), "projectId": text(), "projectRole": text()}),
)


def is_invited(state: ServerState, email: str) -> bool:
    """Whether this address is invited to sign up."""
    return bool(_accepted_invitations(state, email))


def join(state: ServerState, identity: Row) -> None:
    """Make a new identity a user, with a personal project and membership in all projects that invited them."""
    invitations = _accepted_invitations(state, identity["email"])
    roles = [invitation["platformRole"] for invitation in invitations]
    user = add_user(
        state, identity, invitations[0]["platformId"], role=next((role for role in roles if role), "MEMBER")
    )
    add_project(state, user, f"{identity['firstName']}'s Project", kind="PERSONAL")
    for invitation in invitations:
        _grant(state, invitation, user)


def _accepted_invitations(state: ServerState, email: str) -> list[Row]:
    return state.store.all(KIND, email=email.lower(), status="ACCEPTED")


def _grant(state: ServerState, invitation: Row, user: Row) -> None:
    role = state.store.get("project_role", invitation["projectRoleId"])
    if role is not None:
        set_member(state, user, invitation["projectId"], role)


@group.route("POST", "/user-invitations", body=_INVITE, project=in_body, permission="WRITE_INVITATION")
def invite(call: RouteCall) -> tuple[int, Json]:
    """Invite an address, which is not validated. An invitation by API key counts as accepted immediately."""
    state, body, caller = call.state, call.body, call.caller
    role = _project_role(call)
    values: Row = {
        "email": body["email"].lower(),
        "type": body["type"],
        "platformId": caller.platform_id,
        "platformRole": body.get("platformRole"),
        "projectId": body.get("projectId"),
        "projectRoleId": role["id"] if role else None,
    }
    _drop_earlier_invitations(state, values)
    if caller.kind == SERVICE:
        return 201, _public(_accept(state, state.store.add(KIND, {**values, "status": "PENDING"})))
    token = new_id(48)
    row = state.store.add(KIND, {**values, "status": "PENDING", "token": token})
    link = f"{state.url}/invitation?token={token}&email={quote(row['email'], safe='')}"
    return 201, {**_public(row), "link": link}


def _project_role(call: RouteCall) -> Row | None:
    if call.project is None:
        check_platform_admin(call.state, call.caller)
        return None
    if call.project["type"] == "PERSONAL":
        raise rule_violation("Project must be a team project")
    name = call.body["projectRole"]
    role = role_named(call.state, name)
    if role is None:
        raise not_found("project_role", name)
    return role


def _drop_earlier_invitations(state: ServerState, values: Row) -> None:
    key = {name: values[name] for name in ("email", "type", "platformId", "projectId")}
    for earlier in state.store.all(KIND, **key):
        state.store.drop(KIND, earlier["id"])


def _accept(state: ServerState, invitation: Row) -> Row:
    """Add an existing user to the project immediately; others join when they sign up."""
    identity = state.store.first("identity", email=invitation["email"])
    user = state.store.first("user", identityId=identity["id"]) if identity else None
    if user is not None:
        _grant(state, invitation, user)
    return state.store.change(KIND, invitation["id"], status="ACCEPTED")


def _public(invitation: Row) -> Row:
    return {name: value for name, value in invitation.items() if name != "token"}


@group.route(
    "GET",
    "/user-invitations",
    query={"type": one_of(*_KINDS), "projectId": optional(text())},
    project=in_query,
    permission="READ_INVITATION",
)
def list_invitations(call: RouteCall) -> tuple[int, Json]:
    """The invitations to the platform, or to a project."""
    if call.project is None:
        check_platform_admin(call.state, call.caller)
    invitations = call.state.store.all(
        KIND, type=call.query["type"], platformId=call.caller.platform_id, projectId=call.query.get("projectId")
    )
    return 200, single_page([_with_role(call.state, invitation) for invitation in invitations])


def _with_role(state: ServerState, invitation: Row) -> Row:
    role = state.store.get("project_role", invitation["projectRoleId"])
    return {**_public(invitation), "projectRole": role}


@group.route("POST", "/user-invitations/accept", body=fields({"invitationToken": text()}), who=PUBLIC)
def accept(call: RouteCall) -> tuple[int, Json]:
    """Accept an invitation by the token in its link; an invalid token causes a server error."""
    invitation = call.state.store.first(KIND, token=call.body["invitationToken"])
    if invitation is None:
        raise framework_error(500, "jwt malformed")
    identity = call.state.store.first("identity", email=invitation["email"])
    _accept(call.state, invitation)
    return 200, {"registered": identity is not None}


@group.route("DELETE", "/user-invitations/<id>")
def delete(call: RouteCall) -> tuple[int, Json]:
    """Withdraw an invitation."""
    invitation_id = call.params["id"]
    invitation = call.state.store.get(KIND, invitation_id)
    if invitation is None or invitation["platformId"] != call.caller.platform_id:
        params = {"entityId": f"id={invitation_id}", "entityType": "UserInvitation"}
        raise activepieces_error(404, "ENTITY_NOT_FOUND", params)
    check_platform_admin(call.state, call.caller)
    call.state.store.drop(KIND, invitation_id)
    return 204, None
