"""What the engine reads while it runs a flow: a connection with its value, its token good for a while."""

from __future__ import annotations

from ..routing.authentication import ENGINE
from ..routing.responses import Json, Row, business
from ..routing.route_groups import Area, Call
from ..routing.validation import text
from ..state import World
from .rows import KIND, belongs_to, keep, value_of, with_value
from .tokens import (
    CREDENTIALS,
    OAUTH_TYPES,
    GrantIsDead,
    NotRefreshed,
    client_secret,
    is_due,
    refresh,
)

area = Area("engine")

REDACTED = "(REDACTED)"


def read_connection(world: World, project_id: str, external_id: str) -> Row | None:
    """The connection as a piece receives it, after the renewal of its token if that is due."""
    rows = world.store.all(KIND, belongs_to(project_id), externalId=external_id)
    if not rows:
        return None
    row = rows[0]
    if row["type"] in OAUTH_TYPES:
        with world.renewing(row["id"]):
            row = _renewed(world, row["id"])
    return with_value(world, row, redacted(value_of(world, row)))


def redacted(value: Json) -> Json:
    """What a piece gets to see: ``data`` keeps the refresh token in clear, and a code grant its client secret."""
    if value["type"] not in OAUTH_TYPES:
        return value
    hidden = {"refresh_token": REDACTED}
    if value.get("grant_type") == CREDENTIALS:
        hidden["client_secret"] = REDACTED
    return {**value, **hidden}


def _renewed(world: World, row_id: str) -> Row:
    row = world.store.get(KIND, row_id)
    assert row is not None, "it was there a moment ago"
    value = value_of(world, row)
    if row["status"] == "ERROR" or not is_due(value, world.clock()):
        return row
    secret = client_secret(world, value, row["platformId"], row["pieceName"])
    try:
        return keep(world, row, refresh(world, value, secret=secret), status="ACTIVE")
    except GrantIsDead:
        return world.store.change(KIND, row_id, status="ERROR")
    except NotRefreshed:
        return row


@area.route(
    "GET",
    "/worker/app-connections/<path:externalId>",
    params={"externalId": text()},
    who=frozenset({ENGINE}),
)
def read(call: Call) -> tuple[int, Json]:
    """A connection for the engine of the project in its token."""
    assert call.principal.project_id is not None
    external_id = call.params["externalId"]
    found = read_connection(call.world, call.principal.project_id, external_id)
    if found is None:
        params = {"entityId": f"externalId={external_id}", "entityType": "AppConnection"}
        raise business(404, "ENTITY_NOT_FOUND", params)
    return 200, found
