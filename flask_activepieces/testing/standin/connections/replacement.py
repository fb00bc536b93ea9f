"""Replaces a connection by another in all flows of a project."""

from __future__ import annotations

from ..flows.flow_versions import empty_version, with_connection_replaced
from ..flows.rows import add_version, latest_version, published_version
from ..routing.authentication import USER, not_allowed
from ..routing.responses import Json, Row, database_error, not_found, rule_violation
from ..routing.route_groups import RouteCall, RouteGroup, in_body
from ..routing.validation import boolean, fields, optional, row_id_string
from ..state import ServerState
from ..versions import REPLACE_BY_CHOICE
from .rows import KIND

group = RouteGroup("replacement", scoped=True)

_CONNECTIONS = {
    "sourceAppConnectionId": row_id_string,
    "targetAppConnectionId": row_id_string,
    "projectId": row_id_string,
}
_CHOICES = {"applyToPublishedVersions": optional(boolean()), "deleteSourceConnection": optional(boolean())}


def _replace_and_delete(call: RouteCall) -> tuple[int, Json]:
    """Replace the source by the target in all flows, then delete the source, even if both are the same."""
    source, target = _pair(call)
    _move_flows(call, source, target, published=True)
    call.state.store.drop(KIND, source["id"])
    return 204, None


def _replace(call: RouteCall) -> tuple[int, Json]:
    """Replace the source by the target in drafts. Published flows and the source change only if requested.

    Invalid requests are rejected before any flow changes.
    """
    published = call.body.get("applyToPublishedVersions", False)
    deletes = call.body.get("deleteSourceConnection", False)
    source, target = _pair(call)
    if source["id"] == target["id"]:
        raise rule_violation("Cannot replace a connection with itself")
    if deletes and source["scope"] == "PLATFORM":
        raise not_allowed("Platform connections must be deleted from the platform admin connections page")
    if (deletes or published) and _is_used_by_published(call, source, published=published):
        raise rule_violation("The old connection is still used by published flows")
    _move_flows(call, source, target, published=published)
    if deletes:
        call.state.store.drop(KIND, source["id"])
    return 204, None


group.route(
    "POST",
    "/app-connections/replace",
    body=fields(_CONNECTIONS),
    project=in_body,
    permission="WRITE_APP_CONNECTION",
    before=REPLACE_BY_CHOICE,
)(_replace_and_delete)
group.route(
    "POST",
    "/app-connections/replace",
    body=fields(_CONNECTIONS | _CHOICES),
    project=in_body,
    permission="WRITE_APP_CONNECTION",
    since=REPLACE_BY_CHOICE,
)(_replace)


def _pair(call: RouteCall) -> tuple[Row, Row]:
    source = _connection_of_project(call, call.body["sourceAppConnectionId"])
    target = _connection_of_project(call, call.body["targetAppConnectionId"])
    if source["pieceName"] != target["pieceName"]:
        raise rule_violation("Connections must be from the same app")
    return source, target


def _connection_of_project(call: RouteCall, row_id: str) -> Row:
    row = call.state.store.get(KIND, row_id)
    if row is None or call.project_id not in row["projectIds"]:
        raise not_found(KIND, row_id)
    return row


def _is_used_by_published(call: RouteCall, source: Row, *, published: bool) -> bool:
    """Whether a published version would still use the source: any, or one whose newer draft no longer uses it."""
    state = call.state
    return any(
        _uses(published_version(state, flow), source)
        and not (published and _uses(latest_version(state, flow), source))
        for flow in state.store.all("flow", projectId=call.project_id)
    )


def _move_flows(call: RouteCall, source: Row, target: Row, *, published: bool) -> None:
    """Activepieces records the user. With an API key that fails, and leaves an empty draft behind."""
    state = call.state
    for flow in state.store.all("flow", projectId=call.project_id, operationStatus="NONE"):
        latest = latest_version(state, flow)
        if not _uses(latest, source):
            continue
        if call.caller.kind != USER:
            empty = empty_version(latest["displayName"], now=state.store.now(), of=state.version)
            add_version(state, flow, empty)
            raise database_error(
                'insert or update on table "flow_version" violates foreign key constraint "fk_updated_by_user_flow"',
                code="23503",
            )
        _move(state, flow, source["externalId"], target["externalId"], published=published)


def _move(state: ServerState, flow: Row, old: str, new: str, *, published: bool) -> None:
    """Publish a copy of the published version with the other connection; a draft stays the latest version."""
    latest, running = latest_version(state, flow), published_version(state, flow)
    if published and running is not None:
        locked = _copy(state, flow, with_connection_replaced(running, old, new), version_state="LOCKED")
        state.store.change("flow", flow["id"], publishedVersionId=locked["id"])
        if latest["state"] == "LOCKED":
            return
    if latest["state"] == "DRAFT":
        state.store.drop("flow_version", latest["id"])
    _copy(state, flow, with_connection_replaced(latest, old, new), version_state="DRAFT")


def _copy(state: ServerState, flow: Row, version: Row, *, version_state: str) -> Row:
    kept = {name: value for name, value in version.items() if name not in ("id", "created")}
    return add_version(state, flow, {**kept, "updated": state.store.now(), "state": version_state})


def _uses(version: Row | None, connection: Row) -> bool:
    return version is not None and connection["externalId"] in version["connectionIds"]
