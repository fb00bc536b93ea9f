"""Tasklane's pieces: what is in the archive, what Node makes of it, and what an action sends to the app.

A few lines stand in for the two npm packages that the pieces use, so that no test needs a registry.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from example_app.activepieces import PIECE_NAME, SCOPES
from example_app.pieces import KEY_MANIFEST, OAUTH_MANIFEST, packed
from tests.support.raw_server import RawServer, Received, raw_server
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
exports.httpClient = {
  async sendRequest({ method, url, queryParams, body, authentication }) {
    const target = new URL(url);
    for (const [name, value] of Object.entries(queryParams ?? {})) target.searchParams.append(name, value);
    const response = await fetch(target, {
      method,
      headers: { 'content-type': 'application/json', authorization: 'Bearer ' + authentication.token },
      body: body && JSON.stringify(body),
    });
    return { body: await response.json() };
  },
};
"""
#: Prints the piece, or what one of its actions returns in this context.
SCRIPT = """
const { piece } = require('./package/src/index.js');
const [name, context] = JSON.parse(process.argv[1]);
const result = name ? piece.actions.find((action) => action.name === name).run(context) : piece;
Promise.resolve(result).then((value) => console.log(JSON.stringify(value)));
"""

#: What the engine gives a piece for an OAuth connection, secrets included.
OAUTH_CONNECTION = {
    "type": "OAUTH2",
    "client_id": "the client id",
    "client_secret": "SECRET client secret",
    "code": "SECRET code",
    "code_challenge": "SECRET verifier",
    "access_token": "SECRET access token",
    "refresh_token": "(REDACTED)",
    "data": {"refresh_token": "SECRET refresh token"},
}
KEY_CONNECTION = {"type": "SECRET_TEXT", "secret_text": "SECRET access token"}


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


def in_node(directory: Path, manifest: Path, action: str = "", context: Any = None) -> Any:
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
        [node, "-e", SCRIPT, json.dumps([action, context])],
        cwd=directory,
        env={**os.environ, "NODE_PATH": str(directory / "modules")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def engine_context(connection: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """The context in which the engine runs an action: its `propsValue` holds the whole connection, too."""
    return {
        "auth": connection,
        "propsValue": {**inputs, "auth": connection},
        "project": {"id": "the project"},
        "server": {"apiUrl": "http://127.0.0.1:3000/api/", "token": "SECRET engine token"},
        "flows": {"current": {"id": "the flow", "version": {"id": "its version"}}},
        "run": {"id": "the run"},
        "step": {"name": "step_1"},
    }


@dataclass(frozen=True)
class Tasklane:
    """The app at the other end: answers every request, and remembers it."""

    server: RawServer
    directory: Path

    def receives(self, action: str, **inputs: Any) -> Received:
        """The request that this action of the OAuth piece sends."""
        connection = {**OAUTH_CONNECTION, "props": {"base_url": f"{self.server.url}/"}}
        return self._run(OAUTH_MANIFEST, action, engine_context(connection, inputs))

    def receives_with_key(self, action: str, **inputs: Any) -> Received:
        """The request that this action of the piece for pasted tokens sends."""
        inputs = {"base_url": self.server.url, **inputs}
        return self._run(KEY_MANIFEST, action, engine_context(KEY_CONNECTION, inputs))

    def _run(self, manifest: Path, action: str, context: dict[str, Any]) -> Received:
        assert in_node(self.directory, manifest, action, context) == {"received": True}
        (received,) = self.server.received
        return received


@pytest.fixture
def tasklane(tmp_path: Path) -> Iterator[Tasklane]:
    with raw_server(lambda request: request.answer(body={"received": True})) as server:
        yield Tasklane(server, tmp_path)


def test_node_makes_a_piece_that_signs_in_with_a_challenge(tmp_path: Path) -> None:
    piece = in_node(tmp_path, OAUTH_MANIFEST)

    assert piece["auth"]["type"] == "OAUTH2"
    assert (piece["auth"]["pkce"], piece["auth"]["pkceMethod"]) == (True, "S256")
    assert piece["auth"]["props"]["base_url"]["type"] == "SHORT_TEXT"
    assert [action["name"] for action in piece["actions"]] == ["create_task", "list_tasks", "me"]
    assert piece["actions"][0]["props"]["title"]["required"] is True


def test_a_post_action_sends_the_fields_that_were_filled_in_and_nothing_else(
    tasklane: Tasklane,
) -> None:
    sent = tasklane.receives("create_task", title="Feed the coyote", done=None)

    assert (sent.method, sent.target) == ("POST", "/api/tasks")
    assert json.loads(sent.body) == {"title": "Feed the coyote"}


def test_a_get_action_sends_the_fields_that_were_filled_in_and_nothing_else(
    tasklane: Tasklane,
) -> None:
    sent = tasklane.receives("list_tasks", limit=20)

    assert (sent.method, sent.target, sent.body) == ("GET", "/api/tasks?limit=20", b"")


def test_an_action_without_fields_sends_none(tasklane: Tasklane) -> None:
    sent = tasklane.receives("me")

    assert (sent.method, sent.target, sent.body) == ("GET", "/api/me", b"")


def test_an_action_of_the_key_piece_sends_neither_the_key_nor_the_address_as_a_field(
    tasklane: Tasklane,
) -> None:
    sent = tasklane.receives_with_key("list_tasks")

    assert (sent.method, sent.target, sent.body) == ("GET", "/api/tasks", b"")


def test_a_field_that_the_action_does_not_have_is_not_sent(tasklane: Tasklane) -> None:
    sent = tasklane.receives("create_task", title="Feed the coyote", removed_in_this_version="x")

    assert json.loads(sent.body) == {"title": "Feed the coyote"}


@pytest.mark.parametrize("action", ["create_task", "list_tasks", "me"])
def test_the_access_token_is_the_only_secret_that_reaches_the_app(
    tasklane: Tasklane, action: str
) -> None:
    """The engine gives an action the client secret, the code and all tokens; the app needs one of them."""
    sent = tasklane.receives(action, title="Feed the coyote")

    assert sent.headers.pop("authorization") == "Bearer SECRET access token"
    assert "SECRET" not in f"{sent.target} {sent.headers} {sent.body!r}"


def test_the_pasted_token_reaches_the_app_in_its_header_only(tasklane: Tasklane) -> None:
    sent = tasklane.receives_with_key("list_tasks")

    assert sent.headers.pop("authorization") == "Bearer SECRET access token"
    assert "SECRET" not in f"{sent.target} {sent.headers} {sent.body!r}"
