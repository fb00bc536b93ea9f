"""The connections of a project: the Connections API."""

from __future__ import annotations

from ..access.people import person
from ..routing.authentication import not_allowed
from ..routing.paging import page, rows_a_page
from ..routing.responses import Json, Row, listing, no_entity, not_found
from ..routing.route_groups import Area, Call, in_body, in_query
from ..routing.validation import fields, list_of, nullable, number, one_of, optional, record, text
from ..versions import GLOBAL_IS_NOT_DELETED_BY_PROJECT, MODERN_FIELDS, OIDC, PLACEHOLDER
from .account_identifier import with_account
from .rows import KIND, belongs_to, listed, matching, put, shown
from .values import piece_for, project_draft, settled

area = Area("connections", scoped=True)
platform_area = Area("platform connections")

READ, WRITE = "READ_APP_CONNECTION", "WRITE_APP_CONNECTION"

FILTERS = {
    "pieceName": optional(text()),
    "displayName": optional(text()),
    "status": optional(list_of(one_of("ACTIVE", "MISSING", "ERROR"))),
    "scope": optional(one_of("PROJECT", "PLATFORM")),
    "limit": optional(number()),
    "cursor": optional(text()),
}


def _upsert(call: Call) -> tuple[int, Json]:
    """Make a connection, or change the one of that external id. Activepieces answers 201 also to an update."""
    world, body, principal = call.world, call.body, call.principal
    assert principal.platform_id is not None
    piece = piece_for(world, body)
    key = {
        "platformId": principal.platform_id,
        "scope": "PROJECT",
        "externalId": body["externalId"],
    }
    fields_of_row = {
        "displayName": body["displayName"],
        "pieceName": body["pieceName"],
        "pieceVersion": piece["version"],
        "ownerId": principal.user_id,
    }
    if body["type"] == "PLACEHOLDER":
        return 201, _placeholder(call, key, fields_of_row)
    value = settled(world, piece, body, principal.platform_id)
    metadata = {"metadata": body["metadata"]} if body.get("metadata") is not None else {}
    row = put(
        world,
        key,
        {
            **fields_of_row,
            **metadata,
            "type": value["type"],
            "status": "ACTIVE",
            "sealed": world.store.sign_json(value),
        },
        project_ids=[call.project_id],
    )
    return 201, shown(world, with_account(world, row, piece, value))


def _placeholder(call: Call, key: Row, fields_of_row: Row) -> Row:
    """A connection that is still to be made; one that is there is left alone."""
    world = call.world
    for row in world.store.all(KIND, belongs_to(call.project_id), **key):
        return shown(world, row)
    nothing = {
        "type": "NO_AUTH",
        "status": "MISSING",
        "sealed": world.store.sign_json({"type": "NO_AUTH"}),
    }
    return shown(
        world, put(world, key, {**fields_of_row, **nothing}, project_ids=[call.project_id])
    )


for more, since, before in (
    ((), None, PLACEHOLDER),
    (("PLACEHOLDER",), PLACEHOLDER, OIDC),
    (("PLACEHOLDER", "OIDC"), OIDC, None),
):
    area.route(
        "POST",
        "/app-connections",
        body=project_draft(*more),
        project=in_body,
        permission=WRITE,
        since=since,
        before=before,
    )(_upsert)


@area.route(
    "GET",
    "/app-connections",
    query={"projectId": text(), **FILTERS},
    project=in_query,
    permission=READ,
)
def list_connections(call: Call) -> tuple[int, Json]:
    """The project's connections and the global ones that it may use, oldest first. An external id is no filter."""
    world = call.world
    here, fits = belongs_to(call.project_id), matching(call.query)
    rows = world.store.all(
        KIND,
        lambda row: here(row) and fits(row),
        platformId=call.principal.platform_id,
    )
    found = page(
        rows,
        limit=rows_a_page(call.query.get("limit"), default=10),
        cursor=call.query.get("cursor"),
    )
    return 200, found | {"data": listed(world, found["data"])}


@area.route(
    "GET",
    "/app-connections/owners",
    query={"projectId": text()},
    project=in_query,
    permission=READ,
)
def owners(call: Call) -> tuple[int, Json]:
    """Whose connections there are in the project."""
    rows = call.world.store.all(KIND, belongs_to(call.project_id))
    people = [
        person(call.world, owner_id) for owner_id in dict.fromkeys(r["ownerId"] for r in rows)
    ]
    names = ("firstName", "lastName", "email")
    return 200, listing([{name: who[name] for name in names} for who in people if who])


def _of_connection(call: Call) -> str | None:
    """The project of the connection in the path; a global one is of its first."""
    row = _named(call)
    project_ids: list[str] = row["projectIds"]
    return next(iter(project_ids), None)


def _named(call: Call) -> Row:
    row_id = call.params["id"]
    row = call.world.store.get(KIND, row_id)
    if row is None or row["platformId"] != call.principal.platform_id:
        raise not_found(KIND, row_id)
    return row


@area.route(
    "POST",
    "/app-connections/<id>",
    body=fields({"displayName": text(least=1), "metadata": optional(nullable(record()))}),
    project=_of_connection,
    permission=WRITE,
)
def update(call: Call) -> tuple[int, Json]:
    """Rename a connection and set its metadata; a value in the body is not looked at."""
    row = _named(call)
    if row["scope"] != "PROJECT":
        raise no_entity(
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
    return 200, shown(call.world, call.world.store.change(KIND, row["id"], **changes))


@area.route("DELETE", "/app-connections/<id>", project=_of_connection, permission=WRITE)
def delete(call: Call) -> tuple[int, Json]:
    """Delete a connection, also one that flows use. A global one is kept, although 0.85 says 204."""
    row = _named(call)
    if row["scope"] == "PROJECT":
        call.world.store.drop(KIND, row["id"])
    elif call.world.has(GLOBAL_IS_NOT_DELETED_BY_PROJECT):
        raise not_allowed(
            "Platform connections must be deleted from the platform admin connections page"
        )
    return 204, None


@platform_area.route(
    "GET",
    "/platform-app-connections",
    query=FILTERS,
    platform_admin=True,
    since=MODERN_FIELDS,
)
def list_of_platform(call: Call) -> tuple[int, Json]:
    """The connections of all projects."""
    world = call.world
    rows = world.store.all(KIND, matching(call.query), platformId=call.principal.platform_id)
    found = page(
        rows,
        limit=rows_a_page(call.query.get("limit"), default=10),
        cursor=call.query.get("cursor"),
    )
    projects = {
        row["id"]: {name: row[name] for name in ("id", "displayName", "type")}
        for row in world.store.all("project", platformId=call.principal.platform_id)
    }
    return 200, found | {
        "data": [
            row | {"projects": [projects[one] for one in row["projectIds"] if one in projects]}
            for row in listed(world, found["data"])
        ]
    }
