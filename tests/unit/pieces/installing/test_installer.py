"""Installing a piece: the version, the upload, and the flows that keep an older one."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flask_activepieces.api_client.client import ActivepiecesClient
from flask_activepieces.api_client.errors import AuthenticationFailed, CallTimedOut, Conflict, ResourceNotFound
from flask_activepieces.errors import SetupError
from flask_activepieces.pieces.archive import build_archive
from flask_activepieces.pieces.installing.installer import FlowInUse, PieceInstaller

GOLDEN = Path(__file__).parents[3] / "pieces" / "golden" / "handmade"
MANIFEST: dict[str, Any] = json.loads((GOLDEN / "manifest.json").read_text("utf-8"))
NAME = MANIFEST["name"]


class FakeServer:
    """An Activepieces server with pieces and flows, in place of the API client."""

    def __init__(self) -> None:
        self.pieces = self.projects = self.flows = self
        self.installed: dict[str, Any] | None = None
        self.uploads: list[tuple[str, str, bytes]] = []
        self.triggers: dict[str, dict[str, Any]] = {}
        #: What runs, where it is not the newest version.
        self.published: dict[str, dict[str, Any]] = {}
        self.calls_until_listed = 0

    def metadata(self, name: str, *, version: str | None = None) -> dict[str, Any]:
        if version is not None and self.uploads and self.calls_until_listed:
            self.calls_until_listed -= 1
            raise ResourceNotFound("pieces.metadata", status=404)
        if self.installed is None or name != NAME:
            raise ResourceNotFound("pieces.metadata", status=404)
        return self.installed

    def install(self, content: bytes, *, name: str, version: str, timeout: object) -> None:
        if self.installed and self.installed["version"] == version:
            raise Conflict("pieces.install", status=409)
        self.uploads.append((name, version, content))
        self.installed = {**stored(), "version": version}

    def list(self, project_id: str | None = None) -> list[Any]:
        if project_id is None:
            return [SimpleNamespace(id="project-1")]
        return [
            SimpleNamespace(
                id=f"id of {name}",
                display_name=name,
                version=SimpleNamespace(id="newest", trigger=trigger),
                published_version_id=f"published {name}" if name in self.published else "newest",
            )
            for name, trigger in self.triggers.items()
        ]

    def get(self, flow_id: str, *, version_id: str) -> Any:
        name = flow_id.removeprefix("id of ")
        assert version_id == f"published {name}"
        return SimpleNamespace(version=SimpleNamespace(trigger=self.published[name]))


def stored(version: str = "1.4.0") -> dict[str, Any]:
    """What a server answers for the piece of the manifest."""
    return {**json.loads((GOLDEN / "metadata.json").read_text("utf-8")), "version": version}


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def installer(server: FakeServer) -> PieceInstaller:
    time = [0.0]

    def sleep(seconds: float) -> None:
        time[0] += seconds

    return PieceInstaller(cast(ActivepiecesClient, server), sleep=sleep, clock=lambda: time[0])


def step(name: str, version: str, **more: Any) -> dict[str, Any]:
    return {"settings": {"pieceName": name, "pieceVersion": version}, **more}


def test_first_installation_is_version_1(installer: PieceInstaller) -> None:
    plan = installer.plan(MANIFEST)

    assert (plan.installed, plan.version, plan.is_needed, plan.is_major) == (None, "1.0.0", True, False)


def test_same_piece_needs_no_installation(installer: PieceInstaller, server: FakeServer) -> None:
    server.installed = stored()

    plan = installer.plan(MANIFEST)

    assert (plan.installed, plan.is_needed, plan.version) == ("1.4.0", False, "1.4.1")


def test_new_action_is_a_minor_version(installer: PieceInstaller, server: FakeServer) -> None:
    server.installed = stored()
    del server.installed["actions"]["plain"]
    server.triggers = {"Daily": step(NAME, "1.4.0")}

    plan = installer.plan(MANIFEST)

    assert (plan.version, plan.is_needed, plan.flows) == ("1.5.0", True, ())


def test_major_version_names_the_flows_with_an_older_one(installer: PieceInstaller, server: FakeServer) -> None:
    server.installed = stored()
    server.installed["actions"]["gone"] = {"displayName": "Gone", "props": {}}
    inner = {"children": [step("@other/piece", "9.9.9"), step(NAME, "1.3.0")]}
    server.triggers = {
        "Daily": step("@other/piece", "1.0.0", nextAction=step(NAME, "1.4.0", nextAction=inner)),
        "Other": step("@other/piece", "1.0.0"),
        "Draft": {"type": "EMPTY"},
    }

    plan = installer.plan(MANIFEST)

    assert (plan.version, plan.is_major) == ("2.0.0", True)
    daily = FlowInUse(id="id of Daily", display_name="Daily", project_id="project-1", versions=("1.3.0", "1.4.0"))
    assert plan.flows == [daily]


def test_flow_is_named_whose_draft_no_longer_uses_the_piece(installer: PieceInstaller, server: FakeServer) -> None:
    server.triggers = {"Daily": {"type": "EMPTY"}, "Weekly": step(NAME, "1.4.0")}
    server.published = {"Daily": step(NAME, "1.2.0"), "Weekly": step(NAME, "1.3.0")}

    used = {flow.display_name: flow.versions for flow in installer.flows_with(NAME)}

    assert used == {"Daily": ("1.2.0",), "Weekly": ("1.3.0", "1.4.0")}


def test_installation_uploads_the_archive_and_waits_until_it_is_listed(
    installer: PieceInstaller, server: FakeServer
) -> None:
    archive = build_archive(MANIFEST)
    server.calls_until_listed = 5

    installer.install(archive)

    assert server.uploads == [(NAME, "1.0.0", archive.content)]
    assert server.calls_until_listed == 0


def test_piece_whose_code_does_not_load_is_not_uploaded(server: FakeServer, tmp_path: Path) -> None:
    """A server would accept that version never again."""
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho no semicolon\nexit 3\n", "utf-8")
    node.chmod(0o755)
    installer = PieceInstaller(cast(ActivepiecesClient, server), node=str(node))

    with pytest.raises(SetupError, match="Node cannot load its code: no semicolon"):
        installer.install(build_archive(MANIFEST))

    assert server.uploads == []


def test_piece_that_is_never_listed_is_a_timeout(installer: PieceInstaller, server: FakeServer) -> None:
    server.calls_until_listed = 1000

    with pytest.raises(CallTimedOut, match="no response within the timeout of 60 seconds"):
        installer.install(build_archive(MANIFEST))


def test_version_that_exists_is_a_conflict(installer: PieceInstaller, server: FakeServer) -> None:
    server.installed = stored("1.0.0")

    with pytest.raises(Conflict):
        installer.install(build_archive(MANIFEST))


def test_refused_credential_is_not_taken_for_a_missing_piece(installer: PieceInstaller, server: FakeServer) -> None:
    def refuse(name: str, *, version: str | None = None) -> dict[str, Any]:
        raise AuthenticationFailed("pieces.metadata", status=401)

    server.metadata = refuse  # type: ignore[method-assign]

    with pytest.raises(AuthenticationFailed):
        installer.plan(MANIFEST)


def test_changes_are_found_without_a_look_at_flows(installer: PieceInstaller, server: FakeServer) -> None:
    assert installer.changes(MANIFEST) is None
    server.installed = stored()
    assert installer.changes(MANIFEST) == []
    del server.installed["actions"]["plain"]

    (change,) = installer.changes(MANIFEST) or ()

    assert "plain" in change.text
