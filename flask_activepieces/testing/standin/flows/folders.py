"""Folders, into which the flows of a project are sorted."""

from __future__ import annotations

from ..routing.responses import Json, Row, not_found, single_page
from ..routing.route_groups import RouteCall, RouteGroup, in_body, in_query
from ..routing.validation import fields, number, optional, text
from ..state import ServerState

group = RouteGroup("folders", scoped=True)


def folder_named(state: ServerState, project_id: str, name: str) -> Row:
    """The folder with that name, created if it does not exist."""
    folder = state.store.first("folder", projectId=project_id, displayName=name)
    return folder or state.store.add("folder", {"projectId": project_id, "displayName": name, "displayOrder": 0})


def project_of_folder(call: RouteCall) -> str:
    """The project is that of the folder in the path."""
    return str(_folder(call)["projectId"])


def _folder(call: RouteCall) -> Row:
    folder = call.state.store.get("folder", call.params["id"])
    if folder is None:
        raise not_found("folder", call.params["id"])
    return folder


def _to_json(call: RouteCall, folder: Row) -> Row:
    flows = call.state.store.all("flow", folderId=folder["id"])
    return {**folder, "numberOfFlows": len(flows)}


@group.route(
    "POST",
    "/folders",
    body=fields({"displayName": text(), "projectId": text()}),
    project=in_body,
    permission="WRITE_FOLDER",
)
def upsert(call: RouteCall) -> tuple[int, Json]:
    """The folder with that name."""
    folder = folder_named(call.state, call.project_id, call.body["displayName"])
    return 200, _to_json(call, folder)


@group.route(
    "GET",
    "/folders",
    query={"projectId": text(), "limit": optional(number()), "cursor": optional(text())},
    project=in_query,
    permission="READ_FOLDER",
)
def list_folders(call: RouteCall) -> tuple[int, Json]:
    """The folders of a project."""
    folders = call.state.store.all("folder", projectId=call.project_id)
    return 200, single_page([_to_json(call, folder) for folder in folders])


@group.route("GET", "/folders/<id>", project=project_of_folder, permission="READ_FOLDER")
def get(call: RouteCall) -> tuple[int, Json]:
    """One folder."""
    return 200, _to_json(call, _folder(call))


@group.route(
    "POST",
    "/folders/<id>",
    body=fields({"displayName": text()}),
    project=project_of_folder,
    permission="WRITE_FOLDER",
)
def rename(call: RouteCall) -> tuple[int, Json]:
    """Rename a folder."""
    name = call.body["displayName"]
    folder = call.state.store.change("folder", _folder(call)["id"], displayName=name)
    return 200, _to_json(call, folder)


@group.route("DELETE", "/folders/<id>", project=project_of_folder, permission="WRITE_FOLDER")
def delete(call: RouteCall) -> tuple[int, Json]:
    """Delete a folder, but not its flows."""
    folder_id = _folder(call)["id"]
    for flow in call.state.store.all("flow", folderId=folder_id):
        call.state.store.change("flow", flow["id"], folderId=None)
    call.state.store.drop("folder", folder_id)
    return 204, None
