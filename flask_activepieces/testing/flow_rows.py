"""Flows in the store: a row each, and a row for every version."""

from __future__ import annotations

from .answers import Row, database_error
from .flow_versions import blank, with_connection_replaced
from .store import new_id
from .world import World


def add_flow(world: World, project_id: str, display_name: str, **given: object) -> Row:
    """A new flow, disabled and empty. A caller cannot choose its ``externalId``."""
    flow = world.store.add(
        "flow",
        {
            "projectId": project_id,
            "externalId": new_id(),
            "ownerId": None,
            "folderId": None,
            "status": "DISABLED",
            "publishedVersionId": None,
            "metadata": None,
            "operationStatus": "NONE",
            "timeSavedPerRun": None,
            "templateId": None,
            **({"createdBy": None} if world.is_modern else {}),
            **given,
        },
    )
    _add_version(world, flow, blank(display_name, now=world.store.now(), of=world.version))
    return flow


def flow_json(world: World, flow: Row) -> Row:
    """A flow as the API shows it: with its latest version, and with its trigger's schedule while it is enabled."""
    shown = {**flow, "version": latest_version(world, flow)}
    return shown | ({"triggerSource": {"schedule": None}} if flow["status"] == "ENABLED" else {})


def latest_version(world: World, flow: Row) -> Row:
    """The version that the builder shows: the draft, or what was published last."""
    return world.store.all("flow_version", flowId=flow["id"])[-1]


def published_version(world: World, flow: Row) -> Row | None:
    """The version that runs."""
    return world.store.get("flow_version", flow["publishedVersionId"])


def draft_of(world: World, flow: Row) -> Row:
    """The version to change: the draft, or a fresh copy of a version that is locked."""
    version = latest_version(world, flow)
    if version["state"] == "DRAFT":
        return version
    kept = {name: value for name, value in version.items() if name not in ("id", "created")}
    return _add_version(world, flow, {**kept, "updated": world.store.now(), "state": "DRAFT"})


def drop_flow(world: World, flow: Row) -> None:
    """Delete a flow, with its versions and its runs."""
    world.store.drop("flow", flow["id"])
    for kind in ("flow_version", "flow_run"):
        for row in world.store.all(kind, flowId=flow["id"]):
            world.store.drop(kind, row["id"])


def replace_connection(world: World, project_id: str, old: str, new: str, *, by_user: bool) -> None:
    """Let each flow that uses the connection ``old`` use ``new``; what was published is published anew.

    Activepieces notes the user who did it. An API key is none, and what it leaves behind is an empty draft.
    """
    for flow in _flows_using(world, project_id, old):
        version = latest_version(world, flow)
        if not by_user:
            empty = blank(version["displayName"], now=world.store.now(), of=world.version)
            _add_version(world, flow, empty)
            raise database_error(
                'insert or update on table "flow_version" violates foreign key constraint'
                ' "fk_updated_by_user_flow"',
                code="23503",
            )
        _rewrite(world, flow, with_connection_replaced(version, old, new))


def _rewrite(world: World, flow: Row, version: Row) -> None:
    was_published = version["id"] == flow["publishedVersionId"]
    draft = draft_of(world, flow)
    state = "LOCKED" if was_published else "DRAFT"
    changes = {name: version[name] for name in ("trigger", "connectionIds")}
    world.store.change("flow_version", draft["id"], state=state, **changes)
    if was_published:
        world.store.change("flow", flow["id"], publishedVersionId=draft["id"])


def _flows_using(world: World, project_id: str, external_id: str) -> list[Row]:
    return world.store.all(
        "flow",
        lambda flow: external_id in latest_version(world, flow)["connectionIds"],
        projectId=project_id,
    )


def _add_version(world: World, flow: Row, definition: Row) -> Row:
    return world.store.add("flow_version", {"flowId": flow["id"], **definition})
