"""``flask activepieces piece …`` against the stand-in for Activepieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import Result
from flask import Flask

from flask_activepieces.pieces.registry import PieceRegistry
from flask_activepieces.state import get_state
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.piece_manifest import action, manifest, text
from tests.support.standin import action as flow_step
from tests.support.standin import standin

NAME = "@tasklane/piece-tasklane"


class Piece:
    """The app's piece, which a test may change, and its commands."""

    def __init__(self, app: Flask) -> None:
        self.actions = action("create_task", {"title": text("Title"), "due": text("Due")})
        self.runner = app.test_cli_runner()
        app.extensions["activepieces"] = replace(get_state(app), piece=cast(PieceRegistry, self))

    def manifest(self, *, version: str) -> Mapping[str, Any]:
        # The stand-in does not store categories.
        return manifest("https://tasklane.example", version=version, actions=self.actions, categories=[])

    def run(self, *words: str, **environment: str | None) -> Result:
        return self.runner.invoke(args=["activepieces", "piece", *words], env=environment)

    def json(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def upstream() -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer() as server:
        yield server


@pytest.fixture
def piece(make_app: MakeApp, upstream: ActivepiecesServer) -> Piece:
    return Piece(make_app(ACTIVEPIECES_BASE_URL=upstream.url, ACTIVEPIECES_API_KEY=upstream.api_key))


def test_build_writes_the_package(piece: Piece, tmp_path: Path) -> None:
    result = piece.run("build", "--output", str(tmp_path / "dist"), "--version", "1.2.3")

    path = tmp_path / "dist" / "tasklane-piece-tasklane-1.2.3.tgz"
    assert result.stdout == f"Built {NAME} 1.2.3: {path}\n"
    assert path.read_bytes()[:2] == b"\x1f\x8b"


def test_two_builds_have_the_same_digest(piece: Piece, tmp_path: Path) -> None:
    first, second = (piece.json("build", "--output", str(tmp_path / name)) for name in ("a", "b"))

    assert first["sha256"] == second["sha256"]
    assert (first["name"], first["version"]) == (NAME, "1.0.0")


def test_show_lists_what_the_piece_has(piece: Piece) -> None:
    lines = [line.split() for line in piece.run("show").stdout.splitlines()]

    assert ["connection", "SECRET_TEXT", "Token"] in lines
    assert ["action", "create_task", "create", "task", "title,", "due"] in lines
    assert piece.json("show")["actions"]["create_task"]["props"]["due"]["type"] == "SHORT_TEXT"


def test_first_installation_is_followed_by_none(piece: Piece) -> None:
    first = piece.run("install")
    second = piece.run("install")

    assert first.output.endswith("Installed version 1.0.0.\n"), first.output
    assert second.output == "Version 1.0.0 is installed, and nothing has changed.\n"


def test_version_follows_from_the_changes(piece: Piece) -> None:
    piece.run("install")
    piece.actions["create_task"]["props"]["note"] = text("Note")

    told = piece.json("install")

    assert (told["installed"], told["version"], told["is_installed"]) == ("1.0.0", "1.1.0", True)
    assert told["changes"] == [{"level": "minor", "text": "action create_task, field note is new"}]


def test_diff_installs_nothing(piece: Piece) -> None:
    piece.run("install")
    del piece.actions["create_task"]["props"]["due"]

    output = piece.run("diff").output

    assert output == (
        "major: action create_task, field due is removed\nVersion 1.0.0 is installed; the next version is 2.0.0.\n"
    )
    assert piece.json("diff")["installed"] == "1.0.0"


def use_in_flow(upstream: ActivepiecesServer, name: str = "Daily", *, as_user: bool = False) -> None:
    """A published flow with a step of the piece, whose author has since begun a draft without it."""
    caller = standin(upstream)
    caller = caller.by_admin() if as_user else caller
    step = flow_step("step_1", NAME, "create_task")
    step["settings"]["pieceVersion"] = "1.0.0"
    flow_id = caller.flow(step)
    caller.operate(flow_id, "DELETE_ACTION", {"names": ["step_1"]})
    caller.operate(flow_id, "CHANGE_NAME", {"displayName": name})


@pytest.mark.parametrize("command", ["diff", "install"])
def test_major_version_warns_of_the_flows_that_use_the_piece(
    piece: Piece, upstream: ActivepiecesServer, command: str
) -> None:
    piece.run("install")
    use_in_flow(upstream)
    del piece.actions["create_task"]["props"]["due"]

    result = piece.run(command)

    warning, flow = result.stderr.splitlines()
    assert warning == "Warning: 1 flow must be changed before using the new version:"
    assert re.fullmatch(r"  Daily \(\w{21}\) uses 1\.0\.0", flow)
    assert ("Installed version 2.0.0." in result.stdout) is (command == "install")


def test_major_version_names_the_flows_for_scripts(piece: Piece, upstream: ActivepiecesServer) -> None:
    piece.run("install")
    use_in_flow(upstream)
    del piece.actions["create_task"]["props"]["due"]

    plan = piece.json("diff")

    assert plan["is_major"] is True
    (flow,) = plan["flows"]
    assert (flow["display_name"], flow["versions"], flow["project_id"]) == ("Daily", ["1.0.0"], upstream.project_id)


def test_minor_version_warns_of_no_flow(piece: Piece, upstream: ActivepiecesServer) -> None:
    piece.run("install")
    use_in_flow(upstream)
    piece.actions["create_task"]["props"]["note"] = text("Note")

    assert piece.run("diff").stderr == ""


def test_name_of_a_flow_sends_no_command_to_the_terminal(piece: Piece, upstream: ActivepiecesServer) -> None:
    piece.run("install")
    use_in_flow(upstream, name="\x1b[2J\u202eDaily")
    del piece.actions["create_task"]["props"]["due"]

    output = piece.run("diff").stderr

    assert "Daily" in output
    assert "\x1b" not in output and "\u202e" not in output


def test_unchanged_piece_is_installed_if_forced(piece: Piece) -> None:
    """For a new address of the app, or a new runtime, which the server does not store."""
    piece.run("install")

    assert piece.json("install", "--force")["version"] == "1.0.1"


def test_version_may_be_chosen_and_is_taken_once(piece: Piece) -> None:
    assert piece.json("install", "--version", "3.0.0")["version"] == "3.0.0"

    again = piece.run("install", "--version", "3.0.0", "--json")

    assert again.exit_code == 1
    assert json.loads(again.stdout)["error"]["code"] == "refused"


def test_without_a_credential_the_command_says_which_there_are(
    make_app: MakeApp, upstream: ActivepiecesServer
) -> None:
    piece = Piece(make_app(ACTIVEPIECES_BASE_URL=upstream.url))

    result = piece.run("install")

    assert result.exit_code == 1
    assert "No credential for Activepieces: set the environment variable PIECE_INSTALL_TOKEN" in result.stderr


def test_api_key_of_the_environment_is_used_instead_of_the_app_s(
    make_app: MakeApp, upstream: ActivepiecesServer
) -> None:
    piece = Piece(make_app(ACTIVEPIECES_BASE_URL=upstream.url, ACTIVEPIECES_API_KEY="sk-of-one-project"))

    result = piece.run("install", PIECE_INSTALL_TOKEN=upstream.api_key)

    assert result.output.endswith("Installed version 1.0.0.\n"), result.output


def test_wrong_credential_shows_no_secret(piece: Piece) -> None:
    result = piece.run("install", PIECE_INSTALL_TOKEN="wrong-user-token")

    assert result.exit_code == 1
    assert "wrong-user-token" not in result.output


def test_admin_can_install_with_a_password(make_app: MakeApp) -> None:
    """The Community Edition has no API keys."""
    with ActivepiecesServer(edition="ce") as community:
        piece = Piece(make_app(ACTIVEPIECES_BASE_URL=community.url))
        admin = {"PIECE_INSTALL_EMAIL": community.email, "PIECE_INSTALL_PASSWORD": community.password}

        first = piece.run("install", **admin)
        use_in_flow(community, as_user=True)
        del piece.actions["create_task"]["props"]["due"]
        second = piece.run("install", **admin)

    assert first.output.endswith("Installed version 1.0.0.\n"), first.output
    assert second.output.endswith("Installed version 2.0.0.\n"), second.output
    assert "Daily" in second.stderr


def test_admin_can_install_with_a_token(make_app: MakeApp, upstream: ActivepiecesServer) -> None:
    piece = Piece(make_app(ACTIVEPIECES_BASE_URL=upstream.url))

    result = piece.run("install", PIECE_INSTALL_TOKEN=upstream.user_token())

    assert result.output.endswith("Installed version 1.0.0.\n"), result.output


def test_server_that_is_away_is_an_error(make_app: MakeApp) -> None:
    piece = Piece(make_app(ACTIVEPIECES_BASE_URL="http://127.0.0.1:1", ACTIVEPIECES_API_KEY="sk-1"))

    result = piece.run("diff")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: pieces.metadata failed")


def test_app_without_a_piece_is_told_how_to_declare_one(make_app: MakeApp) -> None:
    result = make_app().test_cli_runner().invoke(args=["activepieces", "piece", "show"])

    assert result.exit_code == 1
    assert "The app has no piece: pass one to the extension" in result.stderr


@pytest.mark.parametrize("version", ["1.2", "1.2.3-rc.1", "v1.2.3", ""])
@pytest.mark.parametrize("command", ["build", "install"])
def test_version_that_activepieces_rejects_is_wrong_usage(piece: Piece, command: str, version: str) -> None:
    result = piece.run(command, "--version", version)

    assert result.exit_code == 2
    assert "must be three numbers: 1.2.3" in result.stderr
