"""Flows in the store: one row per flow, and one per version."""

from __future__ import annotations

from ..routing.responses import Row
from ..state import ServerState
from ..store import new_id
from ..versions import MODERN_FIELDS
from .flow_versions import empty_version

DELETING = "DELETING"
#: Seconds between the response to a DELETE and the deletion of the flow.
_DELETION = 1.0


def add_flow(state: ServerState, project_id: str, display_name: str, **columns: object) -> Row:
    """Add a flow, disabled and empty. Callers cannot choose its ``externalId``."""
    flow = state.store.add(
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
            **({"createdBy": None} if state.has(MODERN_FIELDS) else {}),
            **columns,
        },
    )
    add_version(state, flow, empty_version(display_name, now=state.store.now(), of=state.version))
    return flow


def flow_json(state: ServerState, flow: Row) -> Row:
    """A flow as the API returns it: with its latest version and, while it is enabled, its trigger's schedule."""
    shown = {**flow, "version": latest_version(state, flow)}
    source = state.store.first("trigger_source", flowId=flow["id"], simulate=False)
    return shown | ({"triggerSource": {"schedule": source["schedule"]}} if source else {})


def latest_version(state: ServerState, flow: Row) -> Row:
    """The version that the builder shows: the draft, or the version published last."""
    return state.store.all("flow_version", flowId=flow["id"])[-1]


def published_version(state: ServerState, flow: Row) -> Row | None:
    """The version that runs."""
    return state.store.get("flow_version", flow["publishedVersionId"])


def get_or_create_draft(state: ServerState, flow: Row) -> Row:
    """The version to change: the draft, or a new copy of a locked version."""
    version = latest_version(state, flow)
    if version["state"] == "DRAFT":
        return version
    kept = {name: value for name, value in version.items() if name not in ("id", "created")}
    return add_version(state, flow, {**kept, "updated": state.store.now(), "state": "DRAFT"})


def start_deletion(state: ServerState, flow: Row) -> None:
    """Mark a flow as being deleted: lists leave it out, but its webhook still works for a moment."""
    state.store.change("flow", flow["id"], operationStatus=DELETING)
    state.store.add("flow_deletion", {"flowId": flow["id"], "ends": state.clock() + _DELETION})


def finish_deletions(state: ServerState, until: float) -> None:
    """Delete each flow whose deletion is due by then, with its versions and its runs."""
    for deletion in state.store.all("flow_deletion"):
        if deletion["ends"] > until:
            continue
        for kind in ("flow_version", "flow_run"):
            for row in state.store.all(kind, flowId=deletion["flowId"]):
                state.store.drop(kind, row["id"])
        state.store.drop("flow", deletion["flowId"])
        state.store.drop("flow_deletion", deletion["id"])


def add_version(state: ServerState, flow: Row, definition: Row) -> Row:
    """Add a version to the flow, which becomes the latest."""
    return state.store.add("flow_version", {"flowId": flow["id"], **definition})
