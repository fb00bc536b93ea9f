"""How the engine reads a connection while it runs a flow: with its value, and a fresh token."""

from __future__ import annotations

from ..routing.authentication import ENGINE
from ..routing.responses import Json, Row, activepieces_error
from ..routing.route_groups import RouteCall, RouteGroup
from ..routing.validation import text
from ..state import ServerState
from .rows import KIND, in_project, store_value, value_of, with_value
from .tokens import CREDENTIALS, OAUTH_TYPES, InvalidGrant, RefreshFailed, client_secret, needs_refresh, refresh

group = RouteGroup("engine")

REDACTED = "(REDACTED)"


def read_connection(state: ServerState, project_id: str, external_id: str) -> Row | None:
    """The connection as a piece receives it; refreshes its token first if needed."""
    rows = state.store.all(KIND, in_project(project_id), externalId=external_id)
    if not rows:
        return None
    row = rows[0]
    if row["type"] in OAUTH_TYPES:
        with state.renewing(row["id"]):
            row = _refresh_if_due(state, row["id"])
    return with_value(state, row, redacted(value_of(state, row)))


def redacted(value: Json) -> Json:
    """The value as a piece sees it. ``data`` still has the refresh token, and code grants their client secret."""
    if value["type"] not in OAUTH_TYPES:
        return value
    hidden = {"refresh_token": REDACTED}
    if value.get("grant_type") == CREDENTIALS:
        hidden["client_secret"] = REDACTED
    return {**value, **hidden}


def _refresh_if_due(state: ServerState, row_id: str) -> Row:
    row = state.store.get(KIND, row_id)
    assert row is not None, "it was there a moment ago"
    value = value_of(state, row)
    if row["status"] == "ERROR" or not needs_refresh(value, state.clock()):
        return row
    secret = client_secret(state, value, row["platformId"], row["pieceName"])
    try:
        return store_value(state, row, refresh(state, value, secret=secret), status="ACTIVE")
    except InvalidGrant:
        return state.store.change(KIND, row_id, status="ERROR")
    except RefreshFailed:
        return row


@group.route(
    "GET", "/worker/app-connections/<path:externalId>", params={"externalId": text()}, who=frozenset({ENGINE})
)
def read(call: RouteCall) -> tuple[int, Json]:
    """A connection, for the engine of the project in the token."""
    assert call.caller.project_id is not None
    external_id = call.params["externalId"]
    connection = read_connection(call.state, call.caller.project_id, external_id)
    if connection is None:
        params = {"entityId": f"externalId={external_id}", "entityType": "AppConnection"}
        raise activepieces_error(404, "ENTITY_NOT_FOUND", params)
    return 200, connection
