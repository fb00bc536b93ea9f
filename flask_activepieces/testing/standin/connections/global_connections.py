"""Connections of the whole platform, usable in any of its projects."""

from __future__ import annotations

from ..routing.paging import page
from ..routing.responses import Json, Row, activepieces_error, missing_entity
from ..routing.route_groups import RouteCall, RouteGroup
from ..routing.validation import boolean, fields, list_of, nullable, one_of, optional, record, text
from ..store import new_id
from .account_identifier import with_account
from .project_connections import FILTERS
from .rows import KIND, connection_to_json, connections_to_json, matches_filters, upsert_row
from .values import draft, piece_for, prepare_value

group = RouteGroup("global connections")

_PLAN = "globalConnectionsEnabled"
_SCOPE = "PLATFORM"

_UPSERT_BODY = draft(
    {
        "externalId": optional(text()),
        "scope": one_of(_SCOPE),
        "projectIds": list_of(text()),
        "preSelectForNewProjects": optional(boolean()),
    }
)


@group.route("POST", "/global-connections", body=_UPSERT_BODY, platform_admin=True, plan=_PLAN, editions=("ee",))
def upsert(call: RouteCall) -> tuple[int, Json]:
    """Create a connection, or update the one with that external id *and* those projects. Metadata is dropped."""
    state, body = call.state, call.body
    assert call.caller.platform_id is not None
    _check_projects(call, body["projectIds"])
    piece = piece_for(state, body)
    value = prepare_value(state, piece, body, call.caller.platform_id)
    key = {"platformId": call.caller.platform_id, "scope": _SCOPE, "externalId": body.get("externalId", new_id())}
    chosen = body.get("preSelectForNewProjects")
    fields_of_row = {
        "displayName": body["displayName"],
        "pieceName": body["pieceName"],
        "pieceVersion": piece["version"],
        "ownerId": call.caller.user_id,
        "type": value["type"],
        "status": "ACTIVE",
        "sealed": state.store.encrypt(value),
        **({} if chosen is None else {"preSelectForNewProjects": chosen}),
    }
    row = upsert_row(state, key, fields_of_row, project_ids=body["projectIds"])
    return 201, connection_to_json(state, with_account(state, row, piece, value))


@group.route("GET", "/global-connections", query=FILTERS, platform_admin=True, plan=_PLAN, editions=("ee",))
def list_connections(call: RouteCall) -> tuple[int, Json]:
    """The global connections, oldest first."""
    state, query = call.state, call.query
    rows = state.store.all(KIND, matches_filters(query), platformId=call.caller.platform_id, scope=_SCOPE)
    result = page(rows, query)
    return 200, result | {"data": connections_to_json(state, result["data"])}


@group.route(
    "POST",
    "/global-connections/<id>",
    body=fields(
        {
            "displayName": optional(text(min_length=1)),
            "projectIds": optional(list_of(text())),
            "metadata": optional(nullable(record())),
            "preSelectForNewProjects": optional(boolean()),
        }
    ),
    platform_admin=True,
    plan=_PLAN,
    editions=("ee",),
)
def update(call: RouteCall) -> tuple[int, Json]:
    """Change non-secret fields except the metadata. An unknown id causes a server error."""
    _check_projects(call, call.body.get("projectIds", []))
    row = _find_or_404(call)
    if row is None:
        criteria = {"id": call.params["id"], "scope": _SCOPE, "platformId": call.caller.platform_id}
        raise missing_entity(KIND, criteria)
    changes = {name: part for name, part in call.body.items() if part is not None and name != "metadata"}
    return 200, connection_to_json(call.state, call.state.store.change(KIND, row["id"], **changes))


@group.route("DELETE", "/global-connections/<id>", platform_admin=True, plan=_PLAN, editions=("ee",))
def delete(call: RouteCall) -> tuple[int, Json]:
    """Delete a global connection."""
    row = _find_or_404(call)
    if row is None:
        params = {"entityType": "AppConnection", "entityId": call.params["id"]}
        raise activepieces_error(404, "ENTITY_NOT_FOUND", params)
    call.state.store.drop(KIND, row["id"])
    return 204, None


def _find_or_404(call: RouteCall) -> Row | None:
    row = call.state.store.get(KIND, call.params["id"])
    is_ours = row is not None and row["platformId"] == call.caller.platform_id
    return row if is_ours and row is not None and row["scope"] == _SCOPE else None


def _check_projects(call: RouteCall, project_ids: list[str]) -> None:
    for project_id in project_ids:
        project = call.state.store.get("project", project_id)
        if project is None or project["platformId"] != call.caller.platform_id:
            raise activepieces_error(404, "ENTITY_NOT_FOUND", {"entityType": "Project"})
