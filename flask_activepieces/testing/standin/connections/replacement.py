"""One connection in place of another, in all flows of a project that use it."""

from __future__ import annotations

from ..flows.flow_versions import blank, with_connection_replaced
from ..flows.rows import add_version, latest_version, published_version
from ..routing.authentication import USER, not_allowed
from ..routing.responses import Json, Row, breaks_a_rule, database_error, not_found
from ..routing.route_groups import Area, Call, in_body
from ..routing.validation import an_id, fields, flag, optional
from ..state import World
from ..versions import REPLACE_BY_CHOICE
from .rows import KIND

area = Area("replacement", scoped=True)

_CONNECTIONS = {"sourceAppConnectionId": an_id, "targetAppConnectionId": an_id, "projectId": an_id}
_CHOICES = {
    "applyToPublishedVersions": optional(flag()),
    "deleteSourceConnection": optional(flag()),
}


def _replace_and_delete(call: Call) -> tuple[int, Json]:
    """Let flows use the target where they used the source, then delete the source, even where both are the same."""
    source, target = _pair(call)
    _move_flows(call, source, target, published=True)
    call.world.store.drop(KIND, source["id"])
    return 204, None


def _replace(call: Call) -> tuple[int, Json]:
    """Let drafts use the target where they used the source; published flows and the source only if that is asked.

    Everything that is refused is refused before a flow changes.
    """
    published = call.body.get("applyToPublishedVersions", False)
    deletes = call.body.get("deleteSourceConnection", False)
    source, target = _pair(call)
    if source["id"] == target["id"]:
        raise breaks_a_rule("Cannot replace a connection with itself")
    if deletes and source["scope"] == "PLATFORM":
        raise not_allowed(
            "Platform connections must be deleted from the platform admin connections page"
        )
    if (deletes or published) and _left_behind(call, source, published=published):
        raise breaks_a_rule("The old connection is still used by published flows")
    _move_flows(call, source, target, published=published)
    if deletes:
        call.world.store.drop(KIND, source["id"])
    return 204, None


area.route(
    "POST",
    "/app-connections/replace",
    body=fields(_CONNECTIONS),
    project=in_body,
    permission="WRITE_APP_CONNECTION",
    before=REPLACE_BY_CHOICE,
)(_replace_and_delete)
area.route(
    "POST",
    "/app-connections/replace",
    body=fields(_CONNECTIONS | _CHOICES),
    project=in_body,
    permission="WRITE_APP_CONNECTION",
    since=REPLACE_BY_CHOICE,
)(_replace)


def _pair(call: Call) -> tuple[Row, Row]:
    source = _of_project(call, call.body["sourceAppConnectionId"])
    target = _of_project(call, call.body["targetAppConnectionId"])
    if source["pieceName"] != target["pieceName"]:
        raise breaks_a_rule("Connections must be from the same app")
    return source, target


def _of_project(call: Call, row_id: str) -> Row:
    row = call.world.store.get(KIND, row_id)
    if row is None or call.project_id not in row["projectIds"]:
        raise not_found(KIND, row_id)
    return row


def _left_behind(call: Call, source: Row, *, published: bool) -> bool:
    """Whether a published version would go on with the source: any, or one whose newer draft no longer uses it."""
    world = call.world
    return any(
        _uses(published_version(world, flow), source)
        and not (published and _uses(latest_version(world, flow), source))
        for flow in world.store.all("flow", projectId=call.project_id)
    )


def _move_flows(call: Call, source: Row, target: Row, *, published: bool) -> None:
    """Activepieces notes the user who did it. An API key is none, and what it leaves behind is an empty draft."""
    world = call.world
    for flow in world.store.all("flow", projectId=call.project_id, operationStatus="NONE"):
        latest = latest_version(world, flow)
        if not _uses(latest, source):
            continue
        if call.principal.kind != USER:
            empty = blank(latest["displayName"], now=world.store.now(), of=world.version)
            add_version(world, flow, empty)
            raise database_error(
                'insert or update on table "flow_version" violates foreign key constraint'
                ' "fk_updated_by_user_flow"',
                code="23503",
            )
        _move(world, flow, source["externalId"], target["externalId"], published=published)


def _move(world: World, flow: Row, old: str, new: str, *, published: bool) -> None:
    """Publish the published version again, with the other connection; a draft stays the latest version."""
    latest, running = latest_version(world, flow), published_version(world, flow)
    if published and running is not None:
        locked = _copy(world, flow, with_connection_replaced(running, old, new), state="LOCKED")
        world.store.change("flow", flow["id"], publishedVersionId=locked["id"])
        if latest["state"] == "LOCKED":
            return
    if latest["state"] == "DRAFT":
        world.store.drop("flow_version", latest["id"])
    _copy(world, flow, with_connection_replaced(latest, old, new), state="DRAFT")


def _copy(world: World, flow: Row, version: Row, *, state: str) -> Row:
    kept = {name: value for name, value in version.items() if name not in ("id", "created")}
    return add_version(world, flow, {**kept, "updated": world.store.now(), "state": state})


def _uses(version: Row | None, connection: Row) -> bool:
    return version is not None and connection["externalId"] in version["connectionIds"]
