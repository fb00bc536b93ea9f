"""Connections as rows: find, store and show them without their value."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence

from ..access.people import person
from ..flows.rows import latest_version
from ..routing.responses import Json, Row
from ..state import ServerState
from ..versions import MODERN_FIELDS

KIND = "app_connection"
#: Seconds between the lookup and the insert of an upsert that may create duplicates.
_RACE_WINDOW = 0.01

#: Fields that 0.78 does not have yet.
_MODERN_ONLY = ("preSelectForNewProjects", "usingSecretManager")
_PUBLIC_COLUMNS = (
    "id",
    "created",
    "updated",
    "displayName",
    "externalId",
    "type",
    "status",
    "platformId",
    "pieceName",
    "ownerId",
    "projectIds",
    "scope",
    "metadata",
    "pieceVersion",
    *_MODERN_ONLY,
)


def connection_to_json(state: ServerState, row: Row) -> Row:
    """A connection as the API returns it, without its value."""
    names = [name for name in _PUBLIC_COLUMNS if state.has(MODERN_FIELDS) or name not in _MODERN_ONLY]
    return {name: row[name] for name in names}


def connections_to_json(state: ServerState, rows: Sequence[Row]) -> list[Row]:
    """Connections as lists show them, with their owner and the flows that use them."""
    owners = {owner_id: person(state, owner_id) for owner_id in {row["ownerId"] for row in rows}}
    users = flow_ids_by_connection(state) if rows else {}
    return [
        connection_to_json(state, row) | {"owner": owners[row["ownerId"]], "flowIds": _flow_ids(users, row)}
        for row in rows
    ]


def with_value(state: ServerState, row: Row, value: Row) -> Row:
    """A connection as the engine reads it."""
    names = [name for name in _PUBLIC_COLUMNS if name != "usingSecretManager"]
    owner = person(state, row["ownerId"])
    more = {"lastActiveDate": None, "imageUrl": None}
    return {name: row[name] for name in names} | {"value": value, "owner": owner | more if owner else None}


def upsert_row(state: ServerState, key: Mapping[str, Json], fields: Row, *, project_ids: list[str]) -> Row:
    """Create or update the connection with that key; returns its row.

    On real servers the key is not unique: two concurrent upserts create two rows.
    """
    if state.duplicate_upserts:
        row = _find(state, key, project_ids)
        if row is None:
            time.sleep(_RACE_WINDOW)
        return _write(state, row, key, fields, project_ids)
    with state.lock:
        return _write(state, _find(state, key, project_ids), key, fields, project_ids)


def in_project(project_id: str) -> Callable[[Row], bool]:
    """A filter for connections of the project; global ones belong to several."""
    return lambda row: project_id in row["projectIds"]


def matches_filters(query: Row) -> Callable[[Row], bool]:
    """The filters of a list: exact piece and scope, one of several statuses, part of the name.

    The name is an SQL pattern (ILIKE): ``%`` matches any characters, ``_`` one character.
    """
    pattern = _ilike(query.get("displayName", ""))
    exact = {name: query[name] for name in ("pieceName", "scope") if name in query}

    def matches(row: Row) -> bool:
        return (
            all(row[name] == value for name, value in exact.items())
            and row["status"] in query.get("status", [row["status"]])
            and pattern.search(row["displayName"]) is not None
        )

    return matches


def value_of(state: ServerState, row: Row) -> Json:
    """The value of a connection, decrypted."""
    return state.store.decrypt(row["sealed"])


def store_value(state: ServerState, row: Row, value: Json, **fields: Json) -> Row:
    """Store a new value in a connection; returns the updated row."""
    return state.store.change(KIND, row["id"], sealed=state.store.encrypt(value), **fields)


def flow_ids_by_connection(state: ServerState) -> dict[tuple[str, str], list[str]]:
    """(Project, external id of a connection) -> the flows that use it."""
    users: dict[tuple[str, str], list[str]] = {}
    for flow in state.store.all("flow", operationStatus="NONE"):
        for external_id in latest_version(state, flow)["connectionIds"]:
            users.setdefault((flow["projectId"], external_id), []).append(flow["id"])
    return users


def _flow_ids(users: Mapping[tuple[str, str], list[str]], row: Row) -> list[str]:
    return [flow_id for project_id in row["projectIds"] for flow_id in users.get((project_id, row["externalId"]), [])]


def _find(state: ServerState, key: Mapping[str, Json], project_ids: list[str]) -> Row | None:
    rows = state.store.all(KIND, lambda row: row["projectIds"] == project_ids, **key)
    return next(iter(rows), None)


def _write(state: ServerState, row: Row | None, key: Mapping[str, Json], fields: Row, project_ids: list[str]) -> Row:
    if row is not None:
        return state.store.change(KIND, row["id"], **fields, projectIds=project_ids)
    defaults = {"metadata": None, "preSelectForNewProjects": False, "usingSecretManager": False}
    return state.store.add(KIND, {**defaults, **key, **fields, "projectIds": project_ids})


def _ilike(pattern: str) -> re.Pattern[str]:
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(c, re.escape(c)) for c in pattern), re.I | re.S)
