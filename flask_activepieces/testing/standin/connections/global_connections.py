"""Connections of the whole platform, which any of its projects may use."""

from __future__ import annotations

from ..routing.paging import page, rows_a_page
from ..routing.responses import Json, Row, business, no_entity
from ..routing.route_groups import Area, Call
from ..routing.validation import fields, flag, list_of, nullable, one_of, optional, record, text
from ..store import new_id
from .account_identifier import with_account
from .project_connections import FILTERS
from .rows import KIND, listed, matching, put, shown
from .values import draft, piece_for, settled

area = Area("global connections")

_PLAN = "globalConnectionsEnabled"
_SCOPE = "PLATFORM"

_DRAFT = draft(
    {
        "externalId": optional(text()),
        "scope": one_of(_SCOPE),
        "projectIds": list_of(text()),
        "preSelectForNewProjects": optional(flag()),
    },
)


@area.route(
    "POST",
    "/global-connections",
    body=_DRAFT,
    platform_admin=True,
    plan=_PLAN,
    editions=("ee",),
)
def upsert(call: Call) -> tuple[int, Json]:
    """Make a connection, or change the one of that external id *and* those projects. Metadata is dropped."""
    world, body = call.world, call.body
    assert call.principal.platform_id is not None
    _check_projects(call, body["projectIds"])
    piece = piece_for(world, body)
    value = settled(world, piece, body, call.principal.platform_id)
    key = {
        "platformId": call.principal.platform_id,
        "scope": _SCOPE,
        "externalId": body.get("externalId", new_id()),
    }
    chosen = body.get("preSelectForNewProjects")
    fields_of_row = {
        "displayName": body["displayName"],
        "pieceName": body["pieceName"],
        "pieceVersion": piece["version"],
        "ownerId": call.principal.user_id,
        "type": value["type"],
        "status": "ACTIVE",
        "sealed": world.store.sign_json(value),
        **({} if chosen is None else {"preSelectForNewProjects": chosen}),
    }
    row = put(world, key, fields_of_row, project_ids=body["projectIds"])
    return 201, shown(world, with_account(world, row, piece, value))


@area.route(
    "GET",
    "/global-connections",
    query=FILTERS,
    platform_admin=True,
    plan=_PLAN,
    editions=("ee",),
)
def list_connections(call: Call) -> tuple[int, Json]:
    """The global connections, oldest first."""
    world, query = call.world, call.query
    rows = world.store.all(
        KIND, matching(query), platformId=call.principal.platform_id, scope=_SCOPE
    )
    limit = rows_a_page(query.get("limit"), default=10)
    found = page(rows, limit=limit, cursor=query.get("cursor"))
    return 200, found | {"data": listed(world, found["data"])}


@area.route(
    "POST",
    "/global-connections/<id>",
    body=fields(
        {
            "displayName": optional(text(least=1)),
            "projectIds": optional(list_of(text())),
            "metadata": optional(nullable(record())),
            "preSelectForNewProjects": optional(flag()),
        }
    ),
    platform_admin=True,
    plan=_PLAN,
    editions=("ee",),
)
def update(call: Call) -> tuple[int, Json]:
    """Change what is not secret, without the metadata. An unknown id is an error of the server."""
    _check_projects(call, call.body.get("projectIds", []))
    row = _named(call)
    if row is None:
        wanted = {
            "id": call.params["id"],
            "scope": _SCOPE,
            "platformId": call.principal.platform_id,
        }
        raise no_entity(KIND, wanted)
    changes = {
        name: part for name, part in call.body.items() if part is not None and name != "metadata"
    }
    return 200, shown(call.world, call.world.store.change(KIND, row["id"], **changes))


@area.route(
    "DELETE",
    "/global-connections/<id>",
    platform_admin=True,
    plan=_PLAN,
    editions=("ee",),
)
def delete(call: Call) -> tuple[int, Json]:
    """Delete a global connection."""
    row = _named(call)
    if row is None:
        params = {"entityType": "AppConnection", "entityId": call.params["id"]}
        raise business(404, "ENTITY_NOT_FOUND", params)
    call.world.store.drop(KIND, row["id"])
    return 204, None


def _named(call: Call) -> Row | None:
    row = call.world.store.get(KIND, call.params["id"])
    is_ours = row is not None and row["platformId"] == call.principal.platform_id
    return row if is_ours and row is not None and row["scope"] == _SCOPE else None


def _check_projects(call: Call, project_ids: list[str]) -> None:
    for project_id in project_ids:
        project = call.world.store.get("project", project_id)
        if project is None or project["platformId"] != call.principal.platform_id:
            raise business(404, "ENTITY_NOT_FOUND", {"entityType": "Project"})
