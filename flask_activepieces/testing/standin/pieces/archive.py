"""Pieces from an archive: an npm package, of which the stand-in reads ``src/manifest.json``.

It runs no JavaScript. The manifest describes what the piece's generic runtime does: each action is an HTTP call to
``{base_url}{path}`` with the connection's token.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

import requests

from ..routing.responses import Json, Row
from .piece import Action, ActionCall, StandinPiece, StepFailed

_MANIFEST = "src/manifest.json"
_ENTRY = "src/index.js"
#: The timeout of an action's HTTP call, in seconds.
_TIMEOUT = 30


class BadArchive(ValueError):
    """The file is not a gzipped tar archive, or has no manifest."""


class NoEntry(ValueError):
    """The file from which an engine loads the piece is not in the archive."""


def read_manifest(archive: bytes, *, honours_main: bool) -> Row:
    """The manifest in a ``.tgz``, whose top folder may have any name."""
    try:
        files = _files_in(archive)
        manifest = dict(json.loads(files[_MANIFEST]))
        package = json.loads(files.get("package.json", b"{}"))
        main = str(package.get("main", _ENTRY)).removeprefix("./")
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError, TypeError) as error:
        raise BadArchive(f"{_MANIFEST} cannot be read") from error
    entry = main if honours_main else _ENTRY
    if entry not in files:
        raise NoEntry(f"{entry} is missing")
    return manifest


def _files_in(archive: bytes) -> dict[str, bytes]:
    """Path below the top folder -> content."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        members = [(member, opened.extractfile(member)) for member in opened]
        return {member.name.partition("/")[2]: content.read() for member, content in members if content}


def piece_of(manifest: Row) -> StandinPiece:
    """The piece that a manifest describes."""
    return StandinPiece(
        manifest["name"],
        auth=manifest.get("auth"),
        display_name=manifest["displayName"],
        version=manifest["version"],
        actions={name: _action(described) for name, described in manifest.get("actions", {}).items()},
        triggers=manifest.get("triggers", {}),
        description=manifest.get("description", ""),
        logo_url=manifest.get("logoUrl", ""),
        authors=tuple(manifest.get("authors", ())),
    )


def _action(described: Mapping[str, Any]) -> Action:
    def run(call: ActionCall) -> Json:
        return _send(described, call)

    return Action(
        described["displayName"], run, description=described.get("description", ""), props=described.get("props", {})
    )


def _send(described: Mapping[str, Any], call: ActionCall) -> Json:
    method, path = described["method"], described["path"]
    # Only its own fields: the inputs also contain the whole connection.
    action_inputs = {name: call.props.get(name) for name in described.get("props", {})}
    inputs = {name: value for name, value in action_inputs.items() if value not in (None, "")}
    auth = call.auth or {}
    # The API's address is a prop of an OAuth connection; otherwise it is an input of the action.
    base_url = inputs.pop("base_url", None) or auth.get("props", {}).get("base_url", "")
    try:
        response = requests.request(
            method,
            base_url.rstrip("/") + path,
            headers={"Authorization": f"Bearer {_token(auth)}"},
            timeout=_TIMEOUT,
            params=inputs if method == "GET" else None,
            json=None if method == "GET" else inputs,
        )
    except requests.RequestException as error:
        raise StepFailed("Error", type(error).__name__) from error
    return _body_or_raise(response)


def _token(auth: Row) -> str:
    return str(auth.get("access_token") or auth.get("secret_text", ""))


def _body_or_raise(response: requests.Response) -> Json:
    body = _decode(response)
    if not response.ok:
        details = {"response": {"status": response.status_code, "body": body}}
        raise StepFailed("HttpError", json.dumps(details, ensure_ascii=False))
    return body


def _decode(response: requests.Response) -> Json:
    try:
        return response.json()
    except ValueError:
        return response.text
