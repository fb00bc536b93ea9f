"""Tasklane's pieces: what is in the archive, and what Node makes of it.

The two npm packages that the pieces use are played here by a few lines, so that no test needs a registry.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from example_app.activepieces import PIECE_NAME, SCOPES
from example_app.pieces import KEY_MANIFEST, OAUTH_MANIFEST, packed
from tests.support.requirements import require

FRAMEWORK = """
const typed = (type) => (options) => ({ ...options, type });
exports.PieceAuth = { OAuth2: typed('OAUTH2'), SecretText: typed('SECRET_TEXT') };
exports.Property = { Checkbox: typed('CHECKBOX'), LongText: typed('LONG_TEXT'),
                     Number: typed('NUMBER'), ShortText: typed('SHORT_TEXT') };
exports.createAction = (action) => action;
exports.createPiece = (piece) => piece;
"""
COMMON = """
exports.AuthenticationType = { BEARER_TOKEN: 'BEARER_TOKEN' };
exports.httpClient = { sendRequest: async (request) => ({ body: request }) };
"""
#: Prints the piece, or what one of its actions would send.
ASK = """
const { piece } = require('./package/src/index.js');
const [name, context] = JSON.parse(process.argv[1]);
const answer = name ? piece.actions.find((one) => one.name === name).run(context) : piece;
Promise.resolve(answer).then((told) => console.log(JSON.stringify(told)));
"""


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files in the archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {name: opened.extractfile(name).read() for name in opened.getnames()}  # type: ignore[union-attr]


@pytest.mark.parametrize("manifest", [OAUTH_MANIFEST, KEY_MANIFEST])
def test_the_same_files_make_the_same_archive(manifest: Path) -> None:
    assert packed(manifest) == packed(manifest)


@pytest.mark.parametrize("manifest", [OAUTH_MANIFEST, KEY_MANIFEST])
def test_an_archive_is_an_npm_package_of_the_name_and_version_in_its_manifest(
    manifest: Path,
) -> None:
    piece = packed(manifest)
    files = unpacked(piece.archive)

    package = json.loads(files["package/package.json"])
    described = json.loads(files["package/src/manifest.json"])
    assert package["main"] == "./src/index.js"
    assert package["main"].replace(".", "package", 1) in files
    for about in (package, described):
        assert (about["name"], about["version"]) == (piece.name, piece.version)
    assert all(version[0].isdigit() for version in package["dependencies"].values())


def test_the_piece_has_the_name_and_asks_for_the_scopes_that_tasklane_knows() -> None:
    manifest = json.loads(OAUTH_MANIFEST.read_text("utf-8"))

    assert manifest["name"] == PIECE_NAME
    assert set(manifest["auth"]["scope"]) <= set(SCOPES)


def asked(directory: Path, manifest: Path, action: str = "", **context: Any) -> Any:
    """What Node prints of this piece, or of one of its actions run in this context."""
    node = require("node")
    for name, content in unpacked(packed(manifest).archive).items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    for package, code in (("pieces-framework", FRAMEWORK), ("pieces-common", COMMON)):
        module = directory / "modules" / "@activepieces" / package / "index.js"
        module.parent.mkdir(parents=True)
        module.write_text(code)
    finished = subprocess.run(
        [node, "-e", ASK, json.dumps([action, context])],
        cwd=directory,
        env={**os.environ, "NODE_PATH": str(directory / "modules")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_node_makes_a_piece_that_signs_in_with_a_challenge(tmp_path: Path) -> None:
    piece = asked(tmp_path, OAUTH_MANIFEST)

    assert piece["auth"]["type"] == "OAUTH2"
    assert (piece["auth"]["pkce"], piece["auth"]["pkceMethod"]) == (True, "S256")
    assert piece["auth"]["props"]["base_url"]["type"] == "SHORT_TEXT"
    assert [action["name"] for action in piece["actions"]] == ["create_task", "list_tasks", "me"]
    assert piece["actions"][0]["props"]["title"]["required"] is True


def test_an_action_calls_the_app_that_the_connection_names(tmp_path: Path) -> None:
    connection = {"access_token": "a token", "props": {"base_url": "https://tasks.example.com/"}}

    sent = asked(
        tmp_path,
        OAUTH_MANIFEST,
        "create_task",
        auth=connection,
        propsValue={"title": "Feed the coyote", "done": None},
    )

    assert (sent["method"], sent["url"]) == ("POST", "https://tasks.example.com/api/tasks")
    assert sent["authentication"]["token"] == "a token"
    assert sent["body"] == {"title": "Feed the coyote"}


def test_a_pasted_token_goes_to_the_address_in_the_step(tmp_path: Path) -> None:
    sent = asked(
        tmp_path,
        KEY_MANIFEST,
        "list_tasks",
        auth={"type": "SECRET_TEXT", "secret_text": "a token"},
        propsValue={"base_url": "https://tasks.example.com"},
    )

    assert (sent["method"], sent["url"]) == ("GET", "https://tasks.example.com/api/tasks")
    assert sent["authentication"]["token"] == "a token"
    assert sent["queryParams"] == {}
