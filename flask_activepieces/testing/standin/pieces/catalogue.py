"""Pieces: the catalogue, and installing one from an archive."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage

from ..routing.authentication import authenticate
from ..routing.responses import Json, Row, activepieces_error, rule_violation
from ..routing.route_groups import PUBLIC, RouteCall, RouteGroup
from ..routing.validation import (
    FieldPath,
    ValidationFailed,
    ValidationProblem,
    Validator,
    fields,
    one_of,
    optional,
    text,
    union,
)
from ..state import ServerState
from ..store import new_id
from ..versions import ACCOUNT_IDENTIFIER, ENTRY_IS_PACKAGE_MAIN
from .archive import BadArchive, NoEntry, Package, metadata_row, read_package
from .installed import imitated, in_javascript
from .javascript import JavaScript
from .piece import Look, StandinPiece

group = RouteGroup("pieces")

CATEGORIES = (
    "ARTIFICIAL_INTELLIGENCE",
    "COMMUNICATION",
    "COMMERCE",
    "CORE",
    "UNIVERSAL_AI",
    "FLOW_CONTROL",
    "BUSINESS_INTELLIGENCE",
    "ACCOUNTING",
    "PRODUCTIVITY",
    "CONTENT_AND_FILES",
    "DEVELOPER_TOOLS",
    "CUSTOMER_SUPPORT",
    "FORMS_AND_SURVEYS",
    "HUMAN_RESOURCES",
    "PAYMENT_PROCESSING",
    "MARKETING",
    "SALES_AND_CRM",
)

#: Fields of a catalogue row that the piece itself does not define.
_OFFICIAL: Row = {
    "projectUsage": 0,
    "platformId": None,
    "minimumSupportedRelease": "0.0.0",
    "maximumSupportedRelease": "99999.99999.9999",
    "pieceType": "OFFICIAL",
    "categories": [],
    "packageType": "REGISTRY",
    "archiveId": None,
    "i18n": None,
}

_NEWEST_RELEASE = "999.999.999"
_UNLOADABLE = "unloadable_piece"
#: The pieces that a project's piece set leaves out (read in upstream's source, not recorded).
HIDDEN = "hidden_piece"
#: Type of a connection -> the field of its value that is passed to a piece's check.
_BARE = {"SECRET_TEXT": "secret_text", "CUSTOM_AUTH": "props"}


def add_pieces(state: ServerState, pieces: Sequence[StandinPiece]) -> None:
    """Add pieces to the catalogue of a new server."""
    for piece in pieces:
        row = state.store.first("piece", name=piece.name, version=piece.version)
        row = row or state.store.add("piece", {**piece.as_json(), **_OFFICIAL})
        state.pieces[row["id"]] = piece


def find_piece(state: ServerState, name: str, version: str | None = None) -> Row | None:
    """The metadata of a piece as in ``GET /pieces/:name``, of the requested or the newest version."""
    rows = sorted(state.store.all("piece", _supports_server(state), name=name), key=_order)
    exact = [row for row in rows if row["version"] == version]
    return next(reversed(exact or rows), None)


def behavior_of(state: ServerState, row: Row) -> StandinPiece:
    """The functions of the piece in that row. They are kept, because a piece may keep tokens."""
    with state.lock:
        if row["id"] not in state.pieces:
            state.pieces[row["id"]] = _load(state, row)
        return state.pieces[row["id"]]


def check_of(state: ServerState, row: Row, kind: str) -> Look | None:
    """The piece's check of connections of that type."""
    return behavior_of(state, row).check_of(_kind_of_auth(kind))


def identifier_of(state: ServerState, row: Row, kind: str) -> Look | None:
    """The piece's function that names the account of connections of that type."""
    return behavior_of(state, row).identifier_of(_kind_of_auth(kind))


def bare(value: Row) -> Json:
    """The value of a connection as an engine passes it to such a function, and to pieces of old frameworks."""
    field = _BARE.get(value["type"])
    return value[field] if field else value


def _kind_of_auth(kind: str) -> str:
    return "OAUTH2" if kind.endswith("OAUTH2") else kind


def _load(state: ServerState, row: Row) -> StandinPiece:
    package = state.store.first("piece_package", pieceId=row["id"])
    assert package is not None, "a piece is Python or has a package"
    manifest = {**package["manifest"], "name": row["name"], "version": row["version"]}
    if state.node is None:
        return imitated(manifest, state.clock)
    files = {path: base64.b64decode(content) for path, content in package["files"].items()}
    script = JavaScript(state.node, files, package["entry"])
    state.on_close.append(script.close)
    return in_javascript(manifest, script)


def _supports_server(state: ServerState) -> Callable[[Row], bool]:
    """Whether a piece supports this release of Activepieces; other pieces are hidden."""
    release = _numbers(state.release)
    return lambda row: _numbers(row["minimumSupportedRelease"]) <= release <= _numbers(row["maximumSupportedRelease"])


def _order(row: Row) -> tuple[int, ...]:
    return _numbers(row["version"])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split("."))


@group.route("GET", "/pieces/categories", who=PUBLIC)
def categories(call: RouteCall) -> tuple[int, Json]:
    """The categories of pieces."""
    return 200, list(CATEGORIES)


@group.route("GET", "/pieces/registry", who=PUBLIC)
def registry(call: RouteCall) -> tuple[int, Json]:
    """Names and versions of the public pieces."""
    rows = call.state.store.all("piece", platformId=None)
    return 200, [{"name": row["name"], "version": row["version"]} for row in rows]


@group.route("GET", "/pieces", query={"searchQuery": optional(text())}, who=PUBLIC)
def list_pieces(call: RouteCall) -> tuple[int, Json]:
    """The newest version of each piece, without its actions."""
    message = call.query.get("searchQuery", "").lower()
    return 200, [_summary(row) for row in _visible(call) if message in _matches_search(row)]


@group.route(
    "GET",
    "/pieces/<path:name>",
    params={"name": text()},
    query={"version": optional(text()), "projectId": optional(text())},
    who=PUBLIC,
)
def get_piece(call: RouteCall) -> tuple[int, Json]:
    """One piece with all details; the newest version unless the query names one."""
    name, version = call.params["name"], call.query.get("version")
    rows = [row for row in _visible(call, version) if row["name"] == name]
    hidden = call.state.store.first(HIDDEN, pieceName=name, projectId=call.query.get("projectId"))
    if not rows or hidden is not None:
        message = f"piece_metadata_not_found pieceName={name}"
        raise activepieces_error(404, "ENTITY_NOT_FOUND", {"message": message})
    return 200, rows[-1]


def _visible(call: RouteCall, version: str | None = None) -> list[Row]:
    """The pieces visible to the caller: public ones and the platform's own, one version of each.

    The route is public, but an invalid token is rejected, and a valid one is needed to see a platform's own pieces.
    """
    header = request.headers.get("Authorization", "")
    caller = authenticate(call.state, header, scoped=False)
    owners = {None, caller.platform_id if caller else None}
    runs_here = _supports_server(call.state)
    rows = call.state.store.all("piece", lambda row: row["platformId"] in owners and runs_here(row))
    candidates = [row for row in rows if version in (None, row["version"])]
    return list({row["name"]: row for row in sorted(candidates, key=_order)}.values())


def _summary(row: Row) -> Row:
    short = {name: value for name, value in row.items() if name != "i18n"}
    return short | {"actions": len(row["actions"]), "triggers": len(row["triggers"])}


def _matches_search(row: Row) -> str:
    return f"{row['displayName']} {row['name']} {row['description']}".lower()


def _file(value: Any, at: FieldPath) -> bytes:
    if not isinstance(value, FileStorage):
        raise ValidationFailed(ValidationProblem(at, "Invalid input"))
    return bytes(value.read())


_NAMED: Mapping[str, Validator] = {
    "scope": one_of("PLATFORM"),
    "pieceName": text(pattern=r"(@(?!\.)[\w.-]+/)?(?!.*\.\.)[\w.-]+"),
    "pieceVersion": text(pattern=r"\d+\.\d+\.\d+"),
}
_INSTALL = union(
    fields({**_NAMED, "packageType": one_of("ARCHIVE"), "pieceArchive": Validator(_file)}),
    fields({**_NAMED, "packageType": one_of("REGISTRY")}),
)


@group.route("POST", "/pieces", body=_INSTALL, platform_admin=True, plan="managePiecesEnabled")
def install(call: RouteCall) -> tuple[int, Json]:
    """Install a piece for the platform. A version can be installed only once. Only CE returns the piece."""
    name, version = call.body["pieceName"], call.body["pieceVersion"]
    package = _package(call)
    if call.state.store.first("piece", name=name, version=version) is not None:
        raise rule_violation(f"piece_metadata_already_exists name={name} version={version}")
    metadata = metadata_row(package.manifest, names_accounts=call.state.has(ACCOUNT_IDENTIFIER))
    own = {
        **_OFFICIAL,
        **metadata,
        "name": name,
        "version": version,
        "platformId": call.caller.platform_id,
        "maximumSupportedRelease": metadata["maximumSupportedRelease"] or _NEWEST_RELEASE,
        "pieceType": "CUSTOM",
        "packageType": "ARCHIVE",
        "archiveId": new_id(),
        "i18n": package.translations,
    }
    row = call.state.store.add("piece", own)
    call.state.store.add("piece_package", {"pieceId": row["id"], **package.as_row()})
    return 201, row if call.state.edition == "ce" else {}


def _package(call: RouteCall) -> Package:
    """The uploaded package. The stand-in has no npm registry for other pieces.

    A version whose code fails to load cannot be installed later either: the worker caches the failure.
    """
    state, body = call.state, call.body
    version = {"name": body["pieceName"], "version": body["pieceVersion"]}
    failure = activepieces_error(400, "ENGINE_OPERATION_FAILURE", {"message": "{}"})
    if state.store.first(_UNLOADABLE, **version) is not None:
        raise failure
    try:
        return read_package(body.get("pieceArchive", b""), honors_main=state.has(ENTRY_IS_PACKAGE_MAIN))
    except NoEntry:
        state.store.add(_UNLOADABLE, version)
        raise failure from None
    except BadArchive:
        raise failure from None
