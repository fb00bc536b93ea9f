"""The members of projects and their roles."""

from __future__ import annotations

from ..routing.responses import Json, Row, not_found, single_page
from ..routing.route_groups import RouteCall, RouteGroup, in_query
from ..routing.validation import number, optional, text
from .people import person

group = RouteGroup("project members", scoped=True)

KIND = "project_member"


def _to_json(call: RouteCall, member: Row) -> Row:
    store, project = call.state.store, call.project
    assert project is not None
    return {
        **member,
        "user": person(call.state, member["userId"]),
        "projectRole": store.get("project_role", member["projectRoleId"]),
        "project": {name: project[name] for name in ("id", "displayName")},
    }


@group.route(
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
def list_members(call: RouteCall) -> tuple[int, Json]:
    """The members of a project, without its owner."""
    members = call.state.store.all(KIND, projectId=call.project_id)
    return 200, single_page([_to_json(call, member) for member in members])


def _project_of_member(call: RouteCall) -> str:
    member = call.state.store.get(KIND, call.params["id"])
    if member is None:
        raise not_found(KIND, call.params["id"])
    return str(member["projectId"])


@group.route(
    "DELETE", "/project-members/<id>", project=_project_of_member, permission="WRITE_PROJECT_MEMBER", editions=("ee",)
)
def delete(call: RouteCall) -> tuple[int, Json]:
    """Remove a member from the project."""
    call.state.store.drop(KIND, call.params["id"])
    return 204, None
