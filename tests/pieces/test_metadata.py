"""What the server stores of a piece: compared with recorded files, and with what upstream's frameworks build.

The files in ``golden`` come from ``manifest.json``: ``metadata.json`` from our runtime, the others from the last
published frameworks, which ``tests/pieces/framework/build.js`` calls.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.pieces.conftest import LoadPiece
from tests.support.piece_engine import Asked, load
from tests.support.piece_manifest import SECRET_TEXT, action, trigger
from tests.support.requirements import require

GOLDEN = Path(__file__).parent / "golden"
FRAMEWORK = Path(__file__).parent / "framework"
#: Fields that a framework does not know yet, and that its servers ignore.
NEWER_THAN = {
    "0.25.4": {"hasConnectionIdentifier", "outputSchema", "audience", "aiMetadata"},
    "0.32.0": {"hasConnectionIdentifier"},
}


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text("utf-8"))


@pytest.fixture
def metadata(engine: Asked, tmp_path: Path) -> dict[str, Any]:
    return load(engine, tmp_path, golden("manifest.json"), {}).metadata()


def test_metadata_of_every_kind_of_property_and_connection(metadata: dict[str, Any]) -> None:
    assert metadata == golden("metadata.json")


@pytest.mark.parametrize("version", ["0.25.4", "0.32.0"])
def test_upstreams_framework_builds_the_same(metadata: dict[str, Any], version: str) -> None:
    expected = golden(f"framework-{version}.json")
    # It sets these two itself. A later context would hide the piece from servers below 0.82.
    expected |= {key: metadata[key] for key in ("minimumSupportedRelease", "contextInfo")}

    assert without(metadata, NEWER_THAN[version]) == expected


def test_no_field_of_the_manifest_alone_reaches_the_server(metadata: dict[str, Any]) -> None:
    written = json.dumps(metadata)

    assert not re.search('"(request|renew|apiPath|baseUrl|format|translations)"', written)
    assert "project_fields" not in written  # the name of declared options


def test_context_is_the_one_that_all_servers_from_0_73_understand(metadata: dict[str, Any]) -> None:
    assert metadata["contextInfo"] == {"version": "1"}
    assert metadata["minimumSupportedRelease"] == "0.73.0"


def test_piece_of_newer_servers_says_so(load_piece: LoadPiece) -> None:
    metadata = load_piece(minimumSupportedRelease="0.86.0", maximumSupportedRelease="0.99.0").metadata()

    assert (metadata["minimumSupportedRelease"], metadata["maximumSupportedRelease"]) == ("0.86.0", "0.99.0")


def test_defaults_are_all_set(load_piece: LoadPiece) -> None:
    """Upstream's createAction and createTrigger set them, and the engine reads them."""
    bare = {"displayName": "x", "description": "", "props": {}}
    piece = load_piece(
        auth=[SECRET_TEXT],
        actions={"a": {**bare, "request": {"method": "POST", "path": "/"}}},
        triggers={"t": {**bare, "type": "WEBHOOK", "sampleData": {}}},
    )

    metadata = piece.metadata()

    no = {"defaultValue": False}
    assert metadata["actions"]["a"]["requireAuth"] is metadata["triggers"]["t"]["requireAuth"] is True
    assert metadata["actions"]["a"]["errorHandlingOptions"] == {"continueOnFailure": no, "retryOnFailure": no}
    assert metadata["triggers"]["t"]["testStrategy"] == "TEST_FUNCTION"
    assert metadata["triggers"]["t"]["renewConfiguration"] == {"strategy": "NONE"}


@pytest.mark.parametrize("loading", ["import(process.argv[1])", "Promise.resolve(require(process.argv[1]))"])
def test_engine_finds_the_class_by_its_name(load_piece: LoadPiece, loading: str) -> None:
    """Node finds only some exports of a CommonJS module that is imported."""
    piece = load_piece(actions=action("a", {}), triggers=trigger("t"))
    script = f"""{loading}.then((module) => {{
        const piece = Object.values(module).find((each) => each.constructor.name === 'Piece');
        console.log(piece.getAction('a').name, piece.getTrigger('t').name, piece.getContextInfo().version);
    }})"""
    entry = str(piece.directory / "src" / "index.js")

    output = subprocess.run([require("node"), "-e", script, entry], capture_output=True, text=True, check=True).stdout

    assert output == "a t 1\n"


def test_archive_is_what_the_engine_loaded(load_piece: LoadPiece, tmp_path: Path) -> None:
    """It loads from a folder of any name, with nothing installed beside it."""
    files = {path.name for path in load_piece().directory.rglob("*") if path.is_file()}

    assert {"package.json", "index.js", "manifest.json", "piece.js"} <= files
    assert not list(tmp_path.rglob("node_modules"))


@pytest.mark.long
@pytest.mark.parametrize("version", ["0.25.4", "0.32.0"])
def test_recorded_files_are_what_the_frameworks_build(version: str) -> None:
    npm, node = require("npm"), require("node")
    if not (FRAMEWORK / "node_modules" / f"framework-{version}").exists():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=FRAMEWORK, check=True, capture_output=True)
    command = [node, "build.js", version, str(GOLDEN / "manifest.json")]

    built = subprocess.run(command, cwd=FRAMEWORK, check=True, capture_output=True, text=True).stdout

    assert json.loads(built) == golden(f"framework-{version}.json")


def without(value: Any, names: set[str]) -> Any:
    """The value without the keys of these names, at any depth."""
    if isinstance(value, dict):
        return {name: without(inner, names) for name, inner in value.items() if name not in names}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value
