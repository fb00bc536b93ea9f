"""Who works in which project, and in what role."""

from __future__ import annotations

from ..routing.responses import Json, Row, listing, not_found
from ..routing.route_groups import Area, Call, in_query
from ..routing.validation import number, optional, text
from .people import person

area = Area("project members", scoped=True)

KIND = "project_member"


def _shown(call: Call, member: Row) -> Row:
    store, project = call.world.store, call.project
    assert project is not None
    return {
        **member,
        "user": person(call.world, member["userId"]),
        "projectRole": store.get("project_role", member["projectRoleId"]),
        "project": {name: project[name] for name in ("id", "displayName")},
    }


@area.route(
    "GET",
    "/project-members",
    query={
        "projectId": text(),
        "projectRoleId": optional(text()),
        "limit": optional(number()),
        "cursor": optional(text()),
    },
    project=in_query,
    permission="READ_PROJECT_MEMBER",
    editions=("ee",),
)
def list_members(call: Call) -> tuple[int, Json]:
    """The members of a project; its owner is none of them."""
    members = call.world.store.all(KIND, projectId=call.project_id)
    return 200, listing([_shown(call, member) for member in members])


def _of_member(call: Call) -> str:
    member = call.world.store.get(KIND, call.params["id"])
    if member is None:
        raise not_found(KIND, call.params["id"])
    return str(member["projectId"])


@area.route(
    "DELETE",
    "/project-members/<id>",
    project=_of_member,
    permission="WRITE_PROJECT_MEMBER",
    editions=("ee",),
)
def delete(call: Call) -> tuple[int, Json]:
    """Take a member out of the project."""
    call.world.store.drop(KIND, call.params["id"])
    return 204, None
