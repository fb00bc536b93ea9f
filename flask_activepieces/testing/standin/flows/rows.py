"""Flows in the store: a row each, and a row for every version."""

from __future__ import annotations

from ..routing.responses import Row
from ..state import World
from ..store import new_id
from ..versions import MODERN_FIELDS
from .flow_versions import blank

DELETING = "DELETING"
#: Seconds between the answer to a DELETE and the end of the flow.
_DELETION = 1.0


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
            **({"createdBy": None} if world.has(MODERN_FIELDS) else {}),
            **given,
        },
    )
    add_version(world, flow, blank(display_name, now=world.store.now(), of=world.version))
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
    return add_version(world, flow, {**kept, "updated": world.store.now(), "state": "DRAFT"})


def begin_deletion(world: World, flow: Row) -> None:
    """Mark a flow as being deleted: lists leave it out, and its webhook goes on for a moment."""
    world.store.change("flow", flow["id"], operationStatus=DELETING)
    world.store.add("flow_deletion", {"flowId": flow["id"], "ends": world.clock() + _DELETION})


def end_deletions(world: World, until: float) -> None:
    """Delete each flow whose time has come by then, with its versions and its runs."""
    for deletion in world.store.all("flow_deletion"):
        if deletion["ends"] > until:
            continue
        for kind in ("flow_version", "flow_run"):
            for row in world.store.all(kind, flowId=deletion["flowId"]):
                world.store.drop(kind, row["id"])
        world.store.drop("flow", deletion["flowId"])
        world.store.drop("flow_deletion", deletion["id"])


def add_version(world: World, flow: Row, definition: Row) -> Row:
    """A further version of the flow, which is the latest now."""
    return world.store.add("flow_version", {"flowId": flow["id"], **definition})
