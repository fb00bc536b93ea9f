"""Folders: how the flows of a project are sorted."""

from __future__ import annotations

from ..routing.responses import Json, Row, listing, not_found
from ..routing.route_groups import Area, Call, in_body, in_query
from ..routing.validation import fields, number, optional, text
from ..state import World

area = Area("folders", scoped=True)


def folder_named(world: World, project_id: str, name: str) -> Row:
    """The folder of that name, made if there is none."""
    found = world.store.first("folder", projectId=project_id, displayName=name)
    return found or world.store.add(
        "folder", {"projectId": project_id, "displayName": name, "displayOrder": 0}
    )


def of_folder(call: Call) -> str:
    """The project is that of the folder in the path."""
    return str(_folder(call)["projectId"])


def _folder(call: Call) -> Row:
    folder = call.world.store.get("folder", call.params["id"])
    if folder is None:
        raise not_found("folder", call.params["id"])
    return folder


def _shown(call: Call, folder: Row) -> Row:
    flows = call.world.store.all("flow", folderId=folder["id"])
    return {**folder, "numberOfFlows": len(flows)}


@area.route(
    "POST",
    "/folders",
    body=fields({"displayName": text(), "projectId": text()}),
    project=in_body,
    permission="WRITE_FOLDER",
)
def upsert(call: Call) -> tuple[int, Json]:
    """The folder of that name."""
    folder = folder_named(call.world, call.project_id, call.body["displayName"])
    return 200, _shown(call, folder)


@area.route(
    "GET",
    "/folders",
    query={"projectId": text(), "limit": optional(number()), "cursor": optional(text())},
    project=in_query,
    permission="READ_FOLDER",
)
def list_folders(call: Call) -> tuple[int, Json]:
    """The folders of a project."""
    folders = call.world.store.all("folder", projectId=call.project_id)
    return 200, listing([_shown(call, folder) for folder in folders])


@area.route("GET", "/folders/<id>", project=of_folder, permission="READ_FOLDER")
def get(call: Call) -> tuple[int, Json]:
    """One folder."""
    return 200, _shown(call, _folder(call))


@area.route(
    "POST",
    "/folders/<id>",
    body=fields({"displayName": text()}),
    project=of_folder,
    permission="WRITE_FOLDER",
)
def rename(call: Call) -> tuple[int, Json]:
    """Give a folder another name."""
    name = call.body["displayName"]
    folder = call.world.store.change("folder", _folder(call)["id"], displayName=name)
    return 200, _shown(call, folder)


@area.route("DELETE", "/folders/<id>", project=of_folder, permission="WRITE_FOLDER")
def delete(call: Call) -> tuple[int, Json]:
    """Delete a folder; its flows are in none from now on."""
    folder_id = _folder(call)["id"]
    for flow in call.world.store.all("flow", folderId=folder_id):
        call.world.store.change("flow", flow["id"], folderId=None)
    call.world.store.drop("folder", folder_id)
    return 204, None
