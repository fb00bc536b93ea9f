"""Tasklane's pieces: their archives, how Node loads them, and what their actions send to the app.

Short replacements for the two npm packages that the pieces use make these tests independent of a registry.
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
from example_app.pieces import KEY_MANIFEST, OAUTH_MANIFEST, pack
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
#: Prints the piece, or the result of one of its actions in this context.
SCRIPT = """
const { piece } = require('./package/src/index.js');
const [name, context] = JSON.parse(process.argv[1]);
const result = name ? piece.actions.find((action) => action.name === name).run(context) : piece;
Promise.resolve(result).then((value) => console.log(JSON.stringify(value)));
"""

#: What the engine passes to a piece for an OAuth connection, including secrets.
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


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files in the archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        return {name: files.extractfile(name).read() for name in files.getnames()}  # type: ignore[union-attr]


@pytest.mark.parametrize("manifest", [OAUTH_MANIFEST, KEY_MANIFEST])
def test_same_files_give_the_same_archive(manifest: Path) -> None:
    assert pack(manifest) == pack(manifest)


@pytest.mark.parametrize("manifest", [OAUTH_MANIFEST, KEY_MANIFEST])
def test_archive_is_an_npm_package_with_the_name_and_version_of_the_manifest(manifest: Path) -> None:
    piece = pack(manifest)
    files = unpack(piece.archive)

    package = json.loads(files["package/package.json"])
    packed_manifest = json.loads(files["package/src/manifest.json"])
    assert package["main"] == "./src/index.js"
    assert package["main"].replace(".", "package", 1) in files
    for document in (package, packed_manifest):
        assert (document["name"], document["version"]) == (piece.name, piece.version)
    assert all(version[0].isdigit() for version in package["dependencies"].values())


def test_name_and_scopes_of_the_piece_match_the_app() -> None:
    manifest = json.loads(OAUTH_MANIFEST.read_text("utf-8"))

    assert manifest["name"] == PIECE_NAME
    assert set(manifest["auth"]["scope"]) <= set(SCOPES)


def run_in_node(directory: Path, manifest: Path, action: str = "", context: Any = None) -> Any:
    """The piece as Node loads it, or the result of one of its actions in this context."""
    node = require("node")
    for name, content in unpack(pack(manifest).archive).items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    for package, code in (("pieces-framework", FRAMEWORK), ("pieces-common", COMMON)):
        module = directory / "modules" / "@activepieces" / package / "index.js"
        module.parent.mkdir(parents=True)
        module.write_text(code)
    process = subprocess.run(
        [node, "-e", SCRIPT, json.dumps([action, context])],
        cwd=directory,
        env={**os.environ, "NODE_PATH": str(directory / "modules")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def engine_context(connection: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """The context of an action, as the engine builds it: `propsValue` contains the whole connection, too."""
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
    """A server in place of the app, which accepts and records every request."""

    server: RawServer
    directory: Path

    def receive(self, action: str, **inputs: Any) -> Received:
        """Run this action of the OAuth piece and return the request that it sends."""
        connection = {**OAUTH_CONNECTION, "props": {"base_url": f"{self.server.url}/"}}
        return self._run(OAUTH_MANIFEST, action, engine_context(connection, inputs))

    def receive_with_key(self, action: str, **inputs: Any) -> Received:
        """Run this action of the piece for pasted tokens and return the request that it sends."""
        inputs = {"base_url": self.server.url, **inputs}
        return self._run(KEY_MANIFEST, action, engine_context(KEY_CONNECTION, inputs))

    def _run(self, manifest: Path, action: str, context: dict[str, Any]) -> Received:
        assert run_in_node(self.directory, manifest, action, context) == {"received": True}
        (received,) = self.server.received
        return received


@pytest.fixture
def tasklane(tmp_path: Path) -> Iterator[Tasklane]:
    with raw_server(lambda request: request.answer(body={"received": True})) as server:
        yield Tasklane(server, tmp_path)


def test_piece_signs_in_with_pkce(tmp_path: Path) -> None:
    piece = run_in_node(tmp_path, OAUTH_MANIFEST)

    assert piece["auth"]["type"] == "OAUTH2"
    assert (piece["auth"]["pkce"], piece["auth"]["pkceMethod"]) == (True, "S256")
    assert piece["auth"]["props"]["base_url"]["type"] == "SHORT_TEXT"
    assert [action["name"] for action in piece["actions"]] == ["create_task", "list_tasks", "me"]
    assert piece["actions"][0]["props"]["title"]["required"] is True


def test_post_action_sends_only_fields_with_a_value(tasklane: Tasklane) -> None:
    sent = tasklane.receive("create_task", title="Feed the coyote", done=None)

    assert (sent.method, sent.target) == ("POST", "/api/tasks")
    assert json.loads(sent.body) == {"title": "Feed the coyote"}


def test_get_action_sends_only_fields_with_a_value(tasklane: Tasklane) -> None:
    sent = tasklane.receive("list_tasks", limit=20)

    assert (sent.method, sent.target, sent.body) == ("GET", "/api/tasks?limit=20", b"")


def test_action_without_fields_sends_no_body(tasklane: Tasklane) -> None:
    sent = tasklane.receive("me")

    assert (sent.method, sent.target, sent.body) == ("GET", "/api/me", b"")


def test_action_of_the_key_piece_sends_neither_the_key_nor_the_address_as_a_field(tasklane: Tasklane) -> None:
    sent = tasklane.receive_with_key("list_tasks")

    assert (sent.method, sent.target, sent.body) == ("GET", "/api/tasks", b"")


def test_unknown_field_is_not_sent(tasklane: Tasklane) -> None:
    sent = tasklane.receive("create_task", title="Feed the coyote", removed_in_this_version="x")

    assert json.loads(sent.body) == {"title": "Feed the coyote"}


@pytest.mark.parametrize("action", ["create_task", "list_tasks", "me"])
def test_access_token_is_the_only_secret_that_reaches_the_app(tasklane: Tasklane, action: str) -> None:
    """The engine passes the client secret, the code and all tokens to an action."""
    sent = tasklane.receive(action, title="Feed the coyote")

    assert sent.headers.pop("authorization") == "Bearer SECRET access token"
    assert "SECRET" not in f"{sent.target} {sent.headers} {sent.body!r}"


def test_pasted_token_reaches_the_app_only_in_the_authorization_header(tasklane: Tasklane) -> None:
    sent = tasklane.receive_with_key("list_tasks")

    assert sent.headers.pop("authorization") == "Bearer SECRET access token"
    assert "SECRET" not in f"{sent.target} {sent.headers} {sent.body!r}"
