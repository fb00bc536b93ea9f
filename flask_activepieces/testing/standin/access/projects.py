"""Projects: a platform's workspaces."""

from __future__ import annotations

from ..routing.authentication import USER, Caller, is_platform_admin, role_of
from ..routing.paging import ExactCursor, page
from ..routing.responses import Json, Row, database_error, rule_violation
from ..routing.route_groups import RouteCall, RouteGroup, in_path
from ..routing.validation import boolean, fields, nullable, number, optional, record, text
from ..state import ServerState
from ..store import new_id

group = RouteGroup("projects")

#: Projects are sorted by type and name; the cursor is exact.
_ORDER = ExactCursor(("type", "displayName", "id"))
#: Domain names are rejected: they would become links in e-mails.
_NAME = text(pattern="[^./]+")


def add_project(
    state: ServerState,
    owner: Row,
    display_name: str,
    *,
    kind: str = "TEAM",
    external_id: str | None = None,
    metadata: Row | None = None,
    plan: str | None = None,
) -> Row:
    """Add a project to the owner's platform; external ids are unique."""
    if external_id is not None and state.store.first(
        "project", platformId=owner["platformId"], externalId=external_id
    ):
        raise database_error(
            'duplicate key value violates unique constraint "idx_project_platform_id_external_id"', code="23505"
        )
    project_id, now = new_id(), state.store.now()
    return state.store.add(
        "project",
        {
            "id": project_id,
            "ownerId": owner["id"],
            "displayName": display_name,
            "platformId": owner["platformId"],
            "maxConcurrentJobs": None,
            "type": kind,
            "icon": {"color": "LAVENDER"},
            "externalId": external_id,
            "releasesEnabled": False,
            "metadata": metadata,
            "poolId": None,
            "plan": {
                "id": new_id(),
                "created": now,
                "updated": now,
                "projectId": project_id,
                "locked": False,
                "name": plan or ("free" if kind == "PERSONAL" else "platform"),
                "piecesFilterType": "NONE",
                "pieces": [],
            },
        },
    )


def project_json(state: ServerState, project: Row) -> Row:
    """A project with its numbers of users and flows."""
    flows = state.store.all("flow", projectId=project["id"])
    members = len(state.store.all("project_member", projectId=project["id"]))
    counts = {
        "totalUsers": members,
        "activeUsers": members,
        "totalFlows": len(flows),
        "activeFlows": sum(flow["status"] == "ENABLED" for flow in flows),
    }
    return project | {"analytics": counts}


def visible_projects(state: ServerState, caller: Caller) -> list[Row]:
    """The caller's personal project, and those in which they have a role."""

    def sees(project: Row) -> bool:
        if project["type"] == "PERSONAL":
            return bool(project["ownerId"] == caller.user_id)
        if caller.kind != USER or is_platform_admin(state, caller.user_id):
            return True
        return role_of(state, caller.user_id or "", project) is not None

    rows = state.store.all("project", sees, platformId=caller.platform_id)
    return sorted(rows, key=lambda row: (row["type"], row["displayName"], row["id"]))


@group.route(
    "GET",
    "/projects",
    query={
        "externalId": optional(text()),
        "displayName": optional(text()),
        "limit": optional(number()),
        "cursor": optional(text()),
    },
)
def list_projects(call: RouteCall) -> tuple[int, Json]:
    """The projects; ``externalId`` matches exactly, ``displayName`` as a substring."""
    rows = visible_projects(call.state, call.caller)
    if "externalId" in call.query:
        rows = [row for row in rows if row["externalId"] == call.query["externalId"]]
    if "displayName" in call.query:
        part = call.query["displayName"].lower()
        rows = [row for row in rows if part in row["displayName"].lower()]
    result = page(rows, call.query, default_size=50, by=_ORDER)
    return 200, result | {"data": [project_json(call.state, row) for row in result["data"]]}


@group.route(
    "POST",
    "/projects",
    body=fields(
        {
            "displayName": _NAME,
            "externalId": optional(nullable(text())),
            "metadata": optional(nullable(record())),
            "maxConcurrentJobs": optional(nullable(number())),
        }
    ),
    platform_admin=True,
)
def create(call: RouteCall) -> tuple[int, Json]:
    """Create a team project, owned by the platform's owner."""
    owner = call.state.store.get("user", call.caller.user_id)
    assert owner is not None
    project = add_project(
        call.state,
        owner,
        call.body["displayName"],
        external_id=call.body.get("externalId"),
        metadata=call.body.get("metadata"),
    )
    return 201, project_json(call.state, project)


@group.route("GET", "/projects/<projectId>", project=in_path)
def show(call: RouteCall) -> tuple[int, Json]:
    """One project."""
    assert call.project is not None
    return 200, project_json(call.state, call.project)


@group.route(
    "POST",
    "/projects/<projectId>",
    body=fields(
        {
            "displayName": optional(_NAME),
            "externalId": optional(text()),
            "metadata": optional(nullable(record())),
            "releasesEnabled": optional(boolean()),
        }
    ),
    project=in_path,
    permission="WRITE_PROJECT",
)
def update(call: RouteCall) -> tuple[int, Json]:
    """Change the fields in the body."""
    return 200, project_json(call.state, call.state.store.change("project", call.project_id, **call.body))


@group.route("DELETE", "/projects/<projectId>", project=in_path, platform_admin=True)
def delete(call: RouteCall) -> tuple[int, Json]:
    """Delete a team project with its connections."""
    state = call.state
    assert call.project is not None
    if call.project["type"] == "PERSONAL":
        raise rule_violation("Personal projects cannot be deleted")
    for row in state.store.all("app_connection", lambda row: row["projectIds"] == [call.project_id]):
        state.store.drop("app_connection", row["id"])
    state.store.drop("project", call.project_id)
    return 204, None
