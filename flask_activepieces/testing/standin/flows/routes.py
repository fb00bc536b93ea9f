"""Flows: create, list and delete them, and the route for the builder's operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..routing.authentication import check_permission
from ..routing.paging import ExactCursor, page
from ..routing.responses import Json, Row, activepieces_error, not_found
from ..routing.route_groups import RouteCall, RouteGroup, in_body, in_query
from ..routing.validation import (
    FieldPath,
    Validator,
    anything,
    fields,
    list_of,
    nullable,
    number,
    one_of,
    optional,
    record,
    row_id_string,
    text,
    union,
)
from ..state import ServerState
from ..triggers.sources import disable, enable
from ..versions import EMBED_CONSTRAINTS
from .flow_versions import EDITS, apply_operation, as_template
from .folders import folder_named
from .publish_constraints import check_constraints
from .rows import (
    DELETING,
    add_flow,
    flow_json,
    get_or_create_draft,
    latest_version,
    published_version,
    start_deletion,
)

group = RouteGroup("flows", scoped=True)

#: Flows are sorted by their last change, newest first.
_BY_CHANGE = ExactCursor(("updated", "id"), descending=True)


def project_of_flow(call: RouteCall) -> str:
    """The project is that of the flow in the path."""
    return str(_flow(call)["projectId"])


def _flow(call: RouteCall) -> Row:
    flow = call.state.store.get("flow", call.params["id"])
    if flow is None:
        raise not_found("flow", call.params["id"])
    return flow


_CREATE = fields(
    {
        "displayName": text(),
        "projectId": text(),
        "folderId": optional(nullable(text())),
        "folderName": optional(text()),
        "metadata": optional(nullable(record())),
    }
)


@group.route("POST", "/flows", body=_CREATE, project=in_body, permission="WRITE_FLOW")
def create(call: RouteCall) -> tuple[int, Json]:
    """Create a flow, disabled and empty. An ``externalId`` in the body is ignored."""
    flow = add_flow(
        call.state,
        call.project_id,
        call.body["displayName"],
        folderId=_folder_id(call),
        metadata=call.body.get("metadata"),
    )
    return 201, flow_json(call.state, flow)


def _folder_id(call: RouteCall) -> Json:
    name = call.body.get("folderName")
    if name is None:
        return call.body.get("folderId")
    return folder_named(call.state, call.project_id, name)["id"]


_FILTERS = {
    "projectId": text(),
    "name": optional(text()),
    "status": optional(list_of(one_of("ENABLED", "DISABLED"))),
    "connectionExternalIds": optional(list_of(text())),
    "externalIds": optional(list_of(text())),
    "folderId": optional(text()),
    "limit": optional(number()),
    "cursor": optional(text()),
}


@group.route("GET", "/flows", query=_FILTERS, project=in_query, permission="READ_FLOW")
def list_flows(call: RouteCall) -> tuple[int, Json]:
    """The flows of a project that match all filters."""
    flows = [flow_json(call.state, flow) for flow in _flows_of(call)]
    matching_flows = [flow for flow in flows if _matches_filters(flow, call.query)]
    matching_flows.sort(key=lambda flow: (flow["updated"], flow["id"]), reverse=True)
    return 200, page(matching_flows, call.query, by=_BY_CHANGE)


def _matches_filters(flow: Row, query: Row) -> bool:
    version = flow["version"]
    return (
        query.get("name", "").lower() in version["displayName"].lower()
        and flow["status"] in query.get("status", [flow["status"]])
        and flow["externalId"] in query.get("externalIds", [flow["externalId"]])
        and query.get("folderId", flow["folderId"]) == flow["folderId"]
        and _uses_one_of(version, query.get("connectionExternalIds"))
    )


def _uses_one_of(version: Row, external_ids: list[str] | None) -> bool:
    return external_ids is None or not set(external_ids).isdisjoint(version["connectionIds"])


@group.route("GET", "/flows/count", query={"projectId": text()}, project=in_query, permission="READ_FLOW")
def count(call: RouteCall) -> tuple[int, Json]:
    """The number of flows of a project."""
    return 200, len(_flows_of(call))


def _flows_of(call: RouteCall) -> list[Row]:
    return call.state.store.all("flow", projectId=call.project_id, operationStatus="NONE")


@group.route(
    "GET", "/flows/<id>", query={"versionId": optional(text())}, project=project_of_flow, permission="READ_FLOW"
)
def get(call: RouteCall) -> tuple[int, Json]:
    """A flow with its latest version, or with the requested one."""
    flow = _flow(call)
    if "versionId" not in call.query:
        return 200, flow_json(call.state, flow)
    version = call.state.store.get("flow_version", call.query["versionId"])
    if version is None or version["flowId"] != flow["id"]:
        raise not_found("flow_version", call.query["versionId"])
    return 200, {**flow_json(call.state, flow), "version": version}


@group.route("GET", "/flows/<id>/template", project=project_of_flow, permission="READ_FLOW")
def template(call: RouteCall) -> tuple[int, Json]:
    """The latest version as a template."""
    flow = _flow(call)
    return 200, as_template(latest_version(call.state, flow), external_id=flow["externalId"])


@group.route("DELETE", "/flows/<id>", project=project_of_flow, permission="WRITE_FLOW")
def delete(call: RouteCall) -> tuple[int, Json]:
    """Start to delete a flow."""
    flow = _flow(call)
    _check_not_deleting(flow)
    start_deletion(call.state, flow)
    # After the response, and whatever the trigger says.
    call.state.jobs.start(partial(disable, call.state, flow, ignores_errors=True))
    return 204, None


def _check_not_deleting(flow: Row) -> None:
    if flow["operationStatus"] == DELETING:
        params = {"message": "This flow is getting deleted."}
        raise activepieces_error(409, "FLOW_OPERATION_IN_PROGRESS", params)


def _step(value: Any, at: FieldPath) -> Row:
    """A step with these fields; additional fields are kept."""
    fields({"name": text(), "type": text(), "valid": anything(), "settings": record()}).read(value, at)
    return dict(value)


_STATUS = one_of("ENABLED", "DISABLED")
_STEP = Validator(_step)
_REQUESTS = {
    "CHANGE_NAME": {"displayName": text()},
    "UPDATE_TRIGGER": None,
    "ADD_ACTION": {"parentStep": text(), "action": _STEP},
    "UPDATE_ACTION": None,
    "DELETE_ACTION": {"names": list_of(text())},
    "IMPORT_FLOW": {"displayName": text(), "trigger": _STEP, "notes": optional(list_of(record()))},
    "LOCK_AND_PUBLISH": {"status": optional(_STATUS)},
    "CHANGE_STATUS": {"status": _STATUS},
    "CHANGE_FOLDER": {"folderId": nullable(row_id_string)},
    "UPDATE_METADATA": {"metadata": nullable(record())},
}
_OPERATION = union(
    *(
        fields({"type": one_of(name), "request": fields(request) if request else _STEP})
        for name, request in _REQUESTS.items()
    )
)


@group.route("POST", "/flows/<id>", body=_OPERATION, project=project_of_flow)
def operate(call: RouteCall) -> tuple[int, Json]:
    """Apply one of the builder's operations."""
    flow, operation, request = _flow(call), call.body["type"], call.body["request"]
    permission = "UPDATE_FLOW_STATUS" if operation == "CHANGE_STATUS" else "WRITE_FLOW"
    assert call.project is not None, "a flow has a project"
    check_permission(call.state, call.caller, call.project, permission)
    if operation in ("LOCK_AND_PUBLISH", "CHANGE_STATUS"):
        _check_not_deleting(flow)
    if call.state.has(EMBED_CONSTRAINTS):
        check_constraints(flow, latest_version(call.state, flow), operation, request)
    if operation in EDITS:
        _edit(call.state, flow, operation, request)
    else:
        _ADMINISTRATION[operation](call.state, flow, request)
    return 200, flow_json(call.state, _flow(call))


def _edit(state: ServerState, flow: Row, operation: str, request: Row) -> None:
    draft = get_or_create_draft(state, flow)
    version = apply_operation(draft, operation, request, now=state.store.now())
    state.store.change("flow_version", draft["id"], **{**version, "updated": state.store.now()})
    state.store.change("flow", flow["id"])


def _publish(state: ServerState, flow: Row, request: Row) -> None:
    """Lock and publish the latest version. It stays locked and published even if its trigger cannot be started."""
    version = latest_version(state, flow)
    if flow["status"] == "ENABLED":
        disable(state, flow)
    if version["state"] == "DRAFT":
        state.store.change("flow_version", version["id"], state="LOCKED")
    flow = state.store.change("flow", flow["id"], publishedVersionId=version["id"], status="DISABLED")
    _change_status(state, flow, {"status": "ENABLED", **request})


def _change_status(state: ServerState, flow: Row, request: Row) -> None:
    """Start or stop the trigger. If that fails, the status stays as it is."""
    if request["status"] == flow["status"]:
        return
    version = published_version(state, flow)
    if version is None:
        raise activepieces_error(400, "FLOW_OPERATION_INVALID", {"message": "the flow is not published"})
    if request["status"] == "ENABLED":
        enable(state, flow, version)
    else:
        disable(state, flow)
    state.store.change("flow", flow["id"], status=request["status"])


def _change_folder(state: ServerState, flow: Row, request: Row) -> None:
    state.store.change("flow", flow["id"], folderId=request["folderId"])


def _update_metadata(state: ServerState, flow: Row, request: Row) -> None:
    state.store.change("flow", flow["id"], metadata=request["metadata"])


_ADMINISTRATION: dict[str, Callable[[ServerState, Row, Row], None]] = {
    "LOCK_AND_PUBLISH": _publish,
    "CHANGE_STATUS": _change_status,
    "CHANGE_FOLDER": _change_folder,
    "UPDATE_METADATA": _update_metadata,
}
