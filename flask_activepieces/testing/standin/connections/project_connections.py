"""The connections of a project: the Connections API."""

from __future__ import annotations

from ..access.people import person
from ..routing.authentication import not_allowed
from ..routing.paging import page
from ..routing.responses import Json, Row, missing_entity, single_page
from ..routing.route_groups import RouteCall, RouteGroup, find_on_platform, in_body, in_query
from ..routing.validation import fields, list_of, nullable, number, one_of, optional, record, text
from ..versions import GLOBAL_IS_NOT_DELETED_BY_PROJECT, MODERN_FIELDS, OIDC, PLACEHOLDER
from .account_identifier import with_account
from .rows import KIND, connection_to_json, connections_to_json, in_project, matches_filters, upsert_row
from .values import piece_for, prepare_value, project_upsert_body

group = RouteGroup("connections", scoped=True)
platform_group = RouteGroup("platform connections")

READ, WRITE = "READ_APP_CONNECTION", "WRITE_APP_CONNECTION"

FILTERS = {
    "pieceName": optional(text()),
    "displayName": optional(text()),
    "status": optional(list_of(one_of("ACTIVE", "MISSING", "ERROR"))),
    "scope": optional(one_of("PROJECT", "PLATFORM")),
    "limit": optional(number()),
    "cursor": optional(text()),
}


def _upsert(call: RouteCall) -> tuple[int, Json]:
    """Create a connection, or update the one with that external id. Activepieces returns 201 for both."""
    state, body, caller = call.state, call.body, call.caller
    assert caller.platform_id is not None
    piece = piece_for(state, body)
    key = {"platformId": caller.platform_id, "scope": "PROJECT", "externalId": body["externalId"]}
    fields_of_row = {
        "displayName": body["displayName"],
        "pieceName": body["pieceName"],
        "pieceVersion": piece["version"],
        "ownerId": caller.user_id,
    }
    if body["type"] == "PLACEHOLDER":
        return 201, _placeholder(call, key, fields_of_row)
    value = prepare_value(state, piece, body, caller.platform_id)
    metadata = {"metadata": body["metadata"]} if body.get("metadata") is not None else {}
    row = upsert_row(
        state,
        key,
        {
            **fields_of_row,
            **metadata,
            "type": value["type"],
            "status": "ACTIVE",
            "sealed": state.store.encrypt(value),
        },
        project_ids=[call.project_id],
    )
    return 201, connection_to_json(state, with_account(state, row, piece, value))


def _placeholder(call: RouteCall, key: Row, fields_of_row: Row) -> Row:
    """Create a placeholder without a value, unless the connection exists."""
    state = call.state
    for row in state.store.all(KIND, in_project(call.project_id), **key):
        return connection_to_json(state, row)
    nothing = {"type": "NO_AUTH", "status": "MISSING", "sealed": state.store.encrypt({"type": "NO_AUTH"})}
    return connection_to_json(
        state, upsert_row(state, key, {**fields_of_row, **nothing}, project_ids=[call.project_id])
    )


for more, since, before in (
    ((), None, PLACEHOLDER),
    (("PLACEHOLDER",), PLACEHOLDER, OIDC),
    (("PLACEHOLDER", "OIDC"), OIDC, None),
):
    group.route(
        "POST",
        "/app-connections",
        body=project_upsert_body(*more),
        project=in_body,
        permission=WRITE,
        since=since,
        before=before,
    )(_upsert)


@group.route("GET", "/app-connections", query={"projectId": text(), **FILTERS}, project=in_query, permission=READ)
def list_connections(call: RouteCall) -> tuple[int, Json]:
    """The project's connections and the global ones it may use, oldest first. There is no filter by external id."""
    state = call.state
    here, fits = in_project(call.project_id), matches_filters(call.query)
    rows = state.store.all(KIND, lambda row: here(row) and fits(row), platformId=call.caller.platform_id)
    result = page(rows, call.query)
    return 200, result | {"data": connections_to_json(state, result["data"])}


@group.route("GET", "/app-connections/owners", query={"projectId": text()}, project=in_query, permission=READ)
def owners(call: RouteCall) -> tuple[int, Json]:
    """The owners of the project's connections."""
    rows = call.state.store.all(KIND, in_project(call.project_id))
    people = [person(call.state, owner_id) for owner_id in dict.fromkeys(r["ownerId"] for r in rows)]
    names = ("firstName", "lastName", "email")
    return 200, single_page([{name: who[name] for name in names} for who in people if who])


def _project_of_connection(call: RouteCall) -> str | None:
    """The project of the connection in the path; for a global one, its first project."""
    row = find_on_platform(call, KIND)
    project_ids: list[str] = row["projectIds"]
    return next(iter(project_ids), None)


@group.route(
    "POST",
    "/app-connections/<id>",
    body=fields({"displayName": text(min_length=1), "metadata": optional(nullable(record()))}),
    project=_project_of_connection,
    permission=WRITE,
)
def update(call: RouteCall) -> tuple[int, Json]:
    """Rename a connection and set its metadata; a value in the body is ignored."""
    row = find_on_platform(call, KIND)
    if row["scope"] != "PROJECT":
        raise missing_entity(
            KIND,
            {
                "id": row["id"],
                "scope": "PROJECT",
                "platformId": row["platformId"],
                "projectIds": {
                    "_type": "arrayContains",
                    "_value": row["projectIds"][:1],
                    "_useParameter": True,
                    "_multipleParameters": False,
                },
            },
        )
    changes = {name: part for name, part in call.body.items() if part is not None}
    return 200, connection_to_json(call.state, call.state.store.change(KIND, row["id"], **changes))


@group.route("DELETE", "/app-connections/<id>", project=_project_of_connection, permission=WRITE)
def delete(call: RouteCall) -> tuple[int, Json]:
    """Delete a connection, even if flows use it. A global one is kept, although 0.85 returns 204."""
    row = find_on_platform(call, KIND)
    if row["scope"] == "PROJECT":
        call.state.store.drop(KIND, row["id"])
    elif call.state.has(GLOBAL_IS_NOT_DELETED_BY_PROJECT):
        raise not_allowed("Platform connections must be deleted from the platform admin connections page")
    return 204, None


@platform_group.route("GET", "/platform-app-connections", query=FILTERS, platform_admin=True, since=MODERN_FIELDS)
def list_of_platform(call: RouteCall) -> tuple[int, Json]:
    """The connections of all projects."""
    state = call.state
    rows = state.store.all(KIND, matches_filters(call.query), platformId=call.caller.platform_id)
    result = page(rows, call.query)
    projects = {
        row["id"]: {name: row[name] for name in ("id", "displayName", "type")}
        for row in state.store.all("project", platformId=call.caller.platform_id)
    }
    return 200, result | {
        "data": [
            row | {"projects": [projects[one] for one in row["projectIds"] if one in projects]}
            for row in connections_to_json(state, result["data"])
        ]
    }
