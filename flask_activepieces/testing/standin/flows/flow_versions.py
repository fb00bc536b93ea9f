"""The definition of a flow's version, and the builder's operations on it. Pure functions: nothing is stored here.

A version is a trigger and a chain of actions, each the ``nextAction`` of the one before. Branches and loops are not
supported: the stand-in only runs linear flows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from ..routing.responses import Json, Row, activepieces_error
from ..versions import MODERN_FIELDS, Version
from .expressions import connections_in

#: The schema version of flows, by the version of the server.
SCHEMA_VERSION: dict[Version, str] = {"0.78": "16", "0.83": "16", "0.85": "22", "0.86": "22", "0.92": "22"}

#: Applies an operation to a version: (version, request, current time).
Edit = Callable[[Row, Row, str], None]


def empty_version(display_name: str, *, now: str, of: Version) -> Row:
    """The first version of a flow on a server of that version, whose trigger is not yet chosen."""
    trigger = {"name": "trigger", "valid": False, "displayName": "Select Trigger", "type": "EMPTY", "settings": {}}
    if MODERN_FIELDS.is_in(of):
        trigger["lastUpdatedDate"] = now
    return {
        "displayName": display_name,
        "trigger": trigger,
        "updatedBy": None,
        "valid": False,
        "schemaVersion": SCHEMA_VERSION[of],
        "agentIds": [],
        "state": "DRAFT",
        "connectionIds": [],
        "backupFiles": None,
        "notes": [],
    }


def steps_of(version: Row) -> Iterator[Row]:
    """The trigger and the actions, in the order in which they run."""
    step = version["trigger"]
    while step is not None:
        yield step
        step = step.get("nextAction")


def apply_operation(version: Row, operation: str, request: Row, *, now: str) -> Row:
    """A copy of the version after the operation, with its list of used connections updated."""
    version = copy.deepcopy(version)
    EDITS[operation](version, copy.deepcopy(request), now)
    version["connectionIds"] = connections_in([step["settings"] for step in steps_of(version)])
    version["valid"] = all(step["valid"] for step in steps_of(version))
    return version


def with_connection_replaced(version: Row, old: str, new: str) -> Row:
    """A copy of the version in which each step uses the connection ``new`` where it used ``old``."""
    version = copy.deepcopy(version)
    for step in steps_of(version):
        step["settings"] = _replace_text(step["settings"], f"connections['{old}']", f"connections['{new}']")
    version["connectionIds"] = connections_in([step["settings"] for step in steps_of(version)])
    return version


def as_template(version: Row, *, external_id: str) -> Row:
    """The version as a template for import elsewhere, without its connections."""
    steps = list(steps_of(version))
    names = (step["settings"].get("pieceName") for step in steps)
    flow = {name: version[name] for name in ("displayName", "valid", "schemaVersion", "notes")}
    return {
        "name": version["displayName"],
        "type": "SHARED",
        "summary": "",
        "description": "",
        "tags": [],
        "blogUrl": "",
        "metadata": {"externalId": external_id},
        "author": "",
        "categories": [],
        "pieces": list(dict.fromkeys(name for name in names if name)),
        "flows": [{**flow, "trigger": _without_connections(version["trigger"])}],
        "status": "PUBLISHED",
    }


def _change_name(version: Row, request: Row, now: str) -> None:
    version["displayName"] = request["displayName"]


def _update_trigger(version: Row, request: Row, now: str) -> None:
    version["trigger"] = _keep_next_action(version["trigger"], _normalize_step(request, now))


def _add_action(version: Row, request: Row, now: str) -> None:
    parent = _step(version, request["parentStep"])
    parent["nextAction"] = _keep_next_action(parent, _normalize_step(request["action"], now))


def _update_action(version: Row, request: Row, now: str) -> None:
    parent = _parent(version, request["name"])
    parent["nextAction"] = _keep_next_action(parent["nextAction"], _normalize_step(request, now))


def _delete_action(version: Row, request: Row, now: str) -> None:
    for name in request["names"]:
        parent = _parent(version, name)
        deleted = parent.pop("nextAction")
        if "nextAction" in deleted:
            parent["nextAction"] = deleted["nextAction"]


def _import_flow(version: Row, request: Row, now: str) -> None:
    version["displayName"] = request["displayName"]
    version["trigger"] = request["trigger"]
    version["notes"] = request.get("notes", [])
    for step in steps_of(version):
        _normalize_step(step, now)


EDITS: dict[str, Edit] = {
    "CHANGE_NAME": _change_name,
    "UPDATE_TRIGGER": _update_trigger,
    "ADD_ACTION": _add_action,
    "UPDATE_ACTION": _update_action,
    "DELETE_ACTION": _delete_action,
    "IMPORT_FLOW": _import_flow,
}


def _without_connections(trigger: Row) -> Row:
    trigger = copy.deepcopy(trigger)
    for step in steps_of({"trigger": trigger}):
        inputs = step["settings"].get("input", {})
        for name in [name for name in inputs if connections_in(inputs[name])]:
            del inputs[name]
    return trigger


def _step(version: Row, name: str) -> Row:
    for step in steps_of(version):
        if step["name"] == name:
            return step
    raise activepieces_error(400, "FLOW_OPERATION_INVALID", {"message": f"there is no step {name}"})


def _parent(version: Row, name: str) -> Row:
    target = _step(version, name)
    for step in steps_of(version):
        if step.get("nextAction") is target:
            return step
    raise activepieces_error(400, "FLOW_OPERATION_INVALID", {"message": f"{name} is no action"})


def _keep_next_action(old: Row, new: Row) -> Row:
    """The new step, with the next action of the old one."""
    return new | ({"nextAction": old["nextAction"]} if "nextAction" in old else {})


def _normalize_step(step: Row, now: str) -> Row:
    """The step as it is stored: with an exact piece version (the builder sends ``~0.1.34``) and a timestamp."""
    step["lastUpdatedDate"] = now
    if "pieceVersion" in step["settings"]:
        step["settings"]["pieceVersion"] = step["settings"]["pieceVersion"].lstrip("~^")
    return step


def _replace_text(value: Json, old: str, new: str) -> Json:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_replace_text(item, old, new) for item in value]
    if isinstance(value, dict):
        return {name: _replace_text(item, old, new) for name, item in value.items()}
    return value
