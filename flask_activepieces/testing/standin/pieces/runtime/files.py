"""Files between Activepieces and the app."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial

from ...routing.responses import Json, Row
from ..calls import PieceFile, StepFiles


def take_files(inputs: Row) -> tuple[Row, list[tuple[str, PieceFile]]]:
    """The inputs as JSON, and the files that are sent beside them under the name of their property, in order.

    In a list of objects that have other fields too, ``{"$file": n}`` keeps the place of the n-th file of that name.
    """
    rest: Row = {}
    parts: list[tuple[str, PieceFile]] = []
    for name, value in inputs.items():
        files = [_only_file(item) for item in (value if isinstance(value, list) else [value])]
        if files and all(files):
            parts += [(name, file) for file in files if file]
            continue
        found: list[PieceFile] = []
        rest[name] = replace_files(value, partial(_keep_place, found))
        parts += [(name, file) for file in found]
    return rest, parts


def replace_files(value: Json, replace: Callable[[PieceFile], Json]) -> Json:
    """The value with each file replaced."""
    if isinstance(value, PieceFile):
        return replace(value)
    return _map_inside(value, lambda inner: replace_files(inner, replace))


def write_files(files: StepFiles, output: Json) -> Json:
    """The output, with each ``{"$file": {name, base64}}`` stored in Activepieces and replaced by its URL."""
    if isinstance(output, dict) and isinstance(output.get("$file"), dict):
        file = output["$file"]
        return files.write(file["name"], base64.b64decode(file["base64"]))
    return _map_inside(output, lambda inner: write_files(files, inner))


def _keep_place(found: list[PieceFile], file: PieceFile) -> Row:
    found.append(file)
    return {"$file": len(found) - 1}


def _only_file(item: Json) -> PieceFile | None:
    """The file that an item is, or that is its only field: in a form, each item of a list is an object."""
    fields = list(item.values()) if isinstance(item, dict) else [item]
    return fields[0] if len(fields) == 1 and isinstance(fields[0], PieceFile) else None


def _map_inside(value: Json, change: Callable[[Json], Json]) -> Json:
    if isinstance(value, list):
        return [change(each) for each in value]
    return {name: change(each) for name, each in value.items()} if isinstance(value, dict) else value
