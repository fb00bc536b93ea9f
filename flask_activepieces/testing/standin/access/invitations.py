"""Invitations, to the platform or to a project. Nobody writes e-mails here: a user who invites gets the link."""

from __future__ import annotations

from urllib.parse import quote

from ..routing.authentication import SERVICE, check_platform_admin
from ..routing.responses import Json, Row, breaks_a_rule, business, fastify, listing, not_found
from ..routing.route_groups import PUBLIC, Area, Call, in_body, in_query
from ..routing.validation import fields, one_of, optional, text, union
from ..state import World
from ..store import new_id
from .people import make_member, make_user, role_named
from .projects import make_project

area = Area("invitations")

KIND = "user_invitation"
_KINDS = ("PLATFORM", "PROJECT")

_INVITE = union(
    fields(
        {
            "type": one_of("PLATFORM"),
            "email": text(),
            "platformRole": one_of("ADMIN", "MEMBER", "OPERATOR"),
        }
    ),
    fields(
        {
            "type": one_of("PROJECT"),
            "email": text(),
            "projectId": text(),
            "projectRole": text(),
        }
    ),
)


def is_invited(world: World, email: str) -> bool:
    """Whether somebody with this address may sign up."""
    return bool(_accepted(world, email))


def join(world: World, identity: Row) -> None:
    """Make somebody who signed up a user, with a project of their own and all that they were invited to."""
    invitations = _accepted(world, identity["email"])
    roles = [invitation["platformRole"] for invitation in invitations]
    user = make_user(
        world,
        identity,
        invitations[0]["platformId"],
        role=next((role for role in roles if role), "MEMBER"),
    )
    make_project(world, user, f"{identity['firstName']}'s Project", kind="PERSONAL")
    for invitation in invitations:
        _grant(world, invitation, user)


def _accepted(world: World, email: str) -> list[Row]:
    return world.store.all(KIND, email=email.lower(), status="ACCEPTED")


def _grant(world: World, invitation: Row, user: Row) -> None:
    role = world.store.get("project_role", invitation["projectRoleId"])
    if role is not None:
        make_member(world, user, invitation["projectId"], role)


@area.route(
    "POST",
    "/user-invitations",
    body=_INVITE,
    project=in_body,
    permission="WRITE_INVITATION",
)
def invite(call: Call) -> tuple[int, Json]:
    """Invite an address, whatever it looks like. By an API key the invitation counts as accepted at once."""
    world, body, principal = call.world, call.body, call.principal
    role = _project_role(call)
    asked: Row = {
        "email": body["email"].lower(),
        "type": body["type"],
        "platformId": principal.platform_id,
        "platformRole": body.get("platformRole"),
        "projectId": body.get("projectId"),
        "projectRoleId": role["id"] if role else None,
    }
    _drop_earlier(world, asked)
    if principal.kind == SERVICE:
        return 201, _public(_accept(world, world.store.add(KIND, {**asked, "status": "PENDING"})))
    token = new_id(48)
    row = world.store.add(KIND, {**asked, "status": "PENDING", "token": token})
    link = f"{world.url}/invitation?token={token}&email={quote(row['email'], safe='')}"
    return 201, {**_public(row), "link": link}


def _project_role(call: Call) -> Row | None:
    if call.project is None:
        check_platform_admin(call.world, call.principal)
        return None
    if call.project["type"] == "PERSONAL":
        raise breaks_a_rule("Project must be a team project")
    name = call.body["projectRole"]
    role = role_named(call.world, name)
    if role is None:
        raise not_found("project_role", name)
    return role


def _drop_earlier(world: World, asked: Row) -> None:
    key = {name: asked[name] for name in ("email", "type", "platformId", "projectId")}
    for earlier in world.store.all(KIND, **key):
        world.store.drop(KIND, earlier["id"])


def _accept(world: World, invitation: Row) -> Row:
    """Let somebody who is known already in at once; others when they sign up."""
    identity = world.store.first("identity", email=invitation["email"])
    user = world.store.first("user", identityId=identity["id"]) if identity else None
    if user is not None:
        _grant(world, invitation, user)
    return world.store.change(KIND, invitation["id"], status="ACCEPTED")


def _public(invitation: Row) -> Row:
    return {name: value for name, value in invitation.items() if name != "token"}


@area.route(
    "GET",
    "/user-invitations",
    query={"type": one_of(*_KINDS), "projectId": optional(text())},
    project=in_query,
    permission="READ_INVITATION",
)
def list_invitations(call: Call) -> tuple[int, Json]:
    """The invitations of the platform, or those to a project."""
    if call.project is None:
        check_platform_admin(call.world, call.principal)
    found = call.world.store.all(
        KIND,
        type=call.query["type"],
        platformId=call.principal.platform_id,
        projectId=call.query.get("projectId"),
    )
    return 200, listing([_with_role(call.world, invitation) for invitation in found])


def _with_role(world: World, invitation: Row) -> Row:
    role = world.store.get("project_role", invitation["projectRoleId"])
    return {**_public(invitation), "projectRole": role}


@area.route(
    "POST",
    "/user-invitations/accept",
    body=fields({"invitationToken": text()}),
    who=PUBLIC,
)
def accept(call: Call) -> tuple[int, Json]:
    """Accept an invitation by the token in its link; who has none breaks the server."""
    invitation = call.world.store.first(KIND, token=call.body["invitationToken"])
    if invitation is None:
        raise fastify(500, "jwt malformed")
    known = call.world.store.first("identity", email=invitation["email"])
    _accept(call.world, invitation)
    return 200, {"registered": known is not None}


@area.route("DELETE", "/user-invitations/<id>")
def delete(call: Call) -> tuple[int, Json]:
    """Take an invitation back."""
    invitation_id = call.params["id"]
    invitation = call.world.store.get(KIND, invitation_id)
    if invitation is None or invitation["platformId"] != call.principal.platform_id:
        params = {"entityId": f"id={invitation_id}", "entityType": "UserInvitation"}
        raise business(404, "ENTITY_NOT_FOUND", params)
    check_platform_admin(call.world, call.principal)
    call.world.store.drop(KIND, invitation_id)
    return 204, None
