"""What the server stores of a piece: compared with recorded files, and with what upstream's frameworks build.

``golden`` has two pieces. The manifest of ``declared`` comes from declarations in Python, in
`tests.support.every_kind`; that of ``handmade`` has what no declaration gives. ``metadata.json`` is what our runtime
makes of a manifest. The other files are what the last published frameworks make of it, which
``tests/pieces/framework/build.js`` calls.

    python -m tests.pieces.test_metadata        writes both anew (needs Node and npm); review the difference
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from flask_activepieces.pieces.properties import SINCE_0_86
from flask_activepieces.pieces.translations import PATHS
from tests.pieces.conftest import LoadPiece
from tests.support.npm import install_programs
from tests.support.piece_engine import Asked, load, running_engine
from tests.support.piece_manifest import SECRET_TEXT, action, trigger
from tests.support.requirements import require

GOLDEN = Path(__file__).parent / "golden"
FRAMEWORK = Path(__file__).parent / "framework"
PIECES = ("declared", "handmade")
FRAMEWORKS = ("0.25.4", "0.32.0")
#: Fields that a framework does not know yet, and that its servers ignore.
NEWER_THAN = {
    "0.25.4": {"hasConnectionIdentifier", "outputSchema", "audience", "aiMetadata"},
    "0.32.0": {"hasConnectionIdentifier"},
}


def golden(piece: str, name: str) -> Any:
    return json.loads((GOLDEN / piece / f"{name}.json").read_text("utf-8"))


@pytest.fixture(params=PIECES)
def piece(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def metadata(engine: Asked, tmp_path: Path, piece: str) -> dict[str, Any]:
    return load(engine, tmp_path, golden(piece, "manifest"), {}).metadata()


def test_metadata_of_every_kind_of_property_and_connection(metadata: dict[str, Any], piece: str) -> None:
    assert metadata == golden(piece, "metadata")


@pytest.mark.parametrize("version", FRAMEWORKS)
def test_upstreams_framework_builds_the_same(metadata: dict[str, Any], piece: str, version: str) -> None:
    expected = golden(piece, f"framework-{version}")
    # It sets these two itself. A later context would hide the piece from servers below 0.82.
    expected |= {key: metadata[key] for key in ("minimumSupportedRelease", "contextInfo")}

    assert without(metadata, NEWER_THAN[version]) == expected


def test_no_field_of_the_manifest_alone_reaches_the_server(metadata: dict[str, Any]) -> None:
    written = json.dumps(metadata)

    assert not re.search('"(request|renew|apiPath|baseUrl|translations)"', written)
    assert "format" not in metadata
    assert "project_fields" not in written  # the name of declared options


def test_context_is_the_one_that_all_servers_from_0_73_understand(metadata: dict[str, Any]) -> None:
    assert metadata["contextInfo"] == {"version": "1"}
    assert metadata["minimumSupportedRelease"] in ("0.73.0", "0.86.0")


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
@pytest.mark.parametrize("version", FRAMEWORKS)
def test_recorded_files_are_what_the_frameworks_build(piece: str, version: str) -> None:
    assert json.loads(built_by_framework(version, piece)) == golden(piece, f"framework-{version}")


@pytest.mark.long
@pytest.mark.parametrize("version", FRAMEWORKS)
def test_texts_that_are_translated_are_those_of_the_framework(version: str) -> None:
    script = f"console.log(JSON.stringify(require('framework-{version}').pieceTranslation.pathsToValuesToTranslate))"

    output = subprocess.run([node_with_frameworks(), "-e", script], cwd=FRAMEWORK, check=True, capture_output=True)

    # A manifest has a list of connections, also of one.
    expected = {re.sub(r"^auth\.", "auth.*.", path) for path in json.loads(output.stdout)}
    assert set(PATHS) == expected


def node_with_frameworks() -> str:
    """The path of Node, for a folder in which the frameworks are installed."""
    node = require("node")
    install_programs(require("npm"), FRAMEWORK, "--ignore-scripts")
    return node


def built_by_framework(version: str, piece: str) -> str:
    """The metadata that upstream's framework makes of a manifest."""
    command = [node_with_frameworks(), "build.js", version, str(GOLDEN / piece / "manifest.json")]
    return subprocess.run(command, cwd=FRAMEWORK, check=True, capture_output=True, text=True).stdout


def without(value: Any, names: set[str]) -> Any:
    """The value without these keys, and without properties of kinds that no framework was published with."""
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if name not in names and not is_newer(inner)}
        return {name: without(inner, names) for name, inner in kept.items()}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value


def is_newer(described: Any) -> bool:
    return isinstance(described, dict) and described.get("type") in SINCE_0_86


if __name__ == "__main__":
    with running_engine() as node_engine, TemporaryDirectory() as folder:
        for name in PIECES:
            loaded = load(node_engine, Path(folder, name), golden(name, "manifest"), {})
            written = {"metadata": json.dumps(loaded.metadata(), indent=2, ensure_ascii=False) + "\n"}
            written |= {f"framework-{version}": built_by_framework(version, name) for version in FRAMEWORKS}
            for file, content in written.items():
                (GOLDEN / name / f"{file}.json").write_text(content, encoding="utf-8")
