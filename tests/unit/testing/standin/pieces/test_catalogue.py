"""The catalogue of pieces, and pieces that come in an archive."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any

import pytest
from werkzeug.test import Client

from flask_activepieces.pieces.archive import build_archive
from flask_activepieces.testing import ActivepiecesServer, StandinPiece
from flask_activepieces.testing.standin.versions import Version
from tests.support.installed_piece import install
from tests.support.piece_manifest import OAUTH2, SECRET_TEXT, action, manifest, text, trigger
from tests.support.standin import Standin
from tests.support.standin import standin as calls

PROJECT = {"type": "DROPDOWN", "displayName": "Project", "required": True, "options": "projects", "refreshers": []}
TASKLANE = build_archive(
    manifest(
        "https://tasklane.example",
        actions=action("create_task", {"title": text("Title"), "project": PROJECT}),
        triggers=trigger("task_done", renew="0 0 * * *"),
        translations={"de": {"Tasklane": "Aufgaben"}},
    )
)


def test_an_installed_piece_has_the_fields_of_its_manifest(standin: Standin) -> None:
    answer = install(standin, TASKLANE)

    assert (answer.status_code, answer.get_json()) == (201, {})
    piece = standin.get(f"/pieces/{TASKLANE.name}")
    assert piece["version"] == TASKLANE.version
    assert [kind["type"] for kind in piece["auth"]] == ["OAUTH2", "SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH"]
    assert piece["actions"]["create_task"]["name"] == "create_task"
    assert piece["triggers"]["task_done"]["testStrategy"] == "TEST_FUNCTION"
    assert piece["triggers"]["task_done"]["renewConfiguration"]["cronExpression"] == "0 0 * * *"
    assert piece["packageType"] == "ARCHIVE"
    assert piece["i18n"] == {"de": {"Tasklane": "Aufgaben"}}


def test_what_only_the_runtime_reads_is_not_in_the_metadata(standin: Standin) -> None:
    """Functions are dropped by JSON, so a dropdown has no ``options``."""
    install(standin, TASKLANE)

    created = standin.get(f"/pieces/{TASKLANE.name}")["actions"]["create_task"]

    assert "request" not in created
    assert "options" not in created["props"]["project"]


@pytest.mark.parametrize(("auth", "kind"), [([SECRET_TEXT], "SECRET_TEXT"), ([OAUTH2], "OAUTH2"), ([], None)])
def test_one_kind_of_connection_is_an_object(standin: Standin, auth: list[Any], kind: str | None) -> None:
    install(standin, build_archive(manifest("https://tasklane.example", auth=auth)))

    shown = standin.get(f"/pieces/{TASKLANE.name}")["auth"]

    assert shown == kind or shown["type"] == kind


@pytest.mark.parametrize(("version", "knows"), [("0.85", False), ("0.92", True)])
def test_newer_servers_know_that_a_piece_names_accounts(version: Version, knows: bool) -> None:
    server = ActivepiecesServer(version=version)
    install(calls(server), TASKLANE)

    kinds = calls(server).get(f"/pieces/{TASKLANE.name}")["auth"]

    server.close()
    assert all(("hasConnectionIdentifier" in kind) is knows for kind in kinds)


def test_an_installed_piece_is_visible_only_on_its_platform(standin: Standin) -> None:
    install(standin, TASKLANE)
    client = Client(standin.server.app)

    assert client.get(f"/api/v1/pieces/{TASKLANE.name}").status_code == 404
    assert TASKLANE.name not in client.get("/api/v1/pieces").text
    assert TASKLANE.name not in client.get("/api/v1/pieces/registry").text
    assert TASKLANE.name in str(standin.get("/pieces"))


def test_a_version_is_installed_once(standin: Standin) -> None:
    install(standin, TASKLANE)

    assert install(standin, TASKLANE).status_code == 409
    assert install(standin, TASKLANE, pieceVersion="1.2.0").status_code == 201
    assert standin.get(f"/pieces/{TASKLANE.name}")["version"] == "1.2.0"
    first = standin.get(f"/pieces/{TASKLANE.name}?version={TASKLANE.version}")
    assert first["version"] == TASKLANE.version


def test_the_tenth_version_is_newer_than_the_ninth(standin: Standin) -> None:
    install(standin, TASKLANE, pieceVersion="0.10.0")
    install(standin, TASKLANE, pieceVersion="0.9.0")

    assert standin.get(f"/pieces/{TASKLANE.name}")["version"] == "0.10.0"


def packed(files: dict[str, bytes]) -> bytes:
    """A ``.tgz``."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return plain.getvalue()


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"no archive",
        gzip.compress(b"no tar in it"),
        packed({"package/package.json": b"{}"}),
        packed({"package/src/manifest.json": b"{oops"}),
        packed({"package/src/manifest.json": b'{"name": "x"}'}),
        TASKLANE.content[:200],
    ],
    ids=["empty", "not zipped", "no tar", "no manifest", "no JSON", "no piece", "cut off"],
)
def test_an_invalid_archive_is_not_installed(standin: Standin, archive: bytes) -> None:
    answer = install(standin, TASKLANE, pieceArchive=(io.BytesIO(archive), "piece.tgz"))

    assert answer.status_code == 400
    assert answer.get_json()["code"] == "ENGINE_OPERATION_FAILURE"
    assert standin.ask("GET", f"/pieces/{TASKLANE.name}").status_code == 404


def test_a_directory_named_like_the_manifest_is_invalid(standin: Standin) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as files:
        entry = tarfile.TarInfo("package/src/manifest.json")
        entry.type = tarfile.DIRTYPE
        files.addfile(entry)
    archive = io.BytesIO(gzip.compress(plain.getvalue()))

    assert install(standin, TASKLANE, pieceArchive=(archive, "x.tgz")).status_code == 400


def an_archive(*left_out: str, top: str = "package", main: str | None = None) -> io.BytesIO:
    files = {
        "package.json": json.dumps({"main": main} if main else {}).encode(),
        "src/index.js": b"",
        "src/manifest.json": b'{"name": "x", "version": "1.0.0", "displayName": "X"}',
    }
    kept = {f"{top}/{name}": text for name, text in files.items() if name not in left_out}
    return io.BytesIO(packed(kept))


def test_a_version_that_does_not_load_cannot_be_installed_later(standin: Standin) -> None:
    """Observed: the worker caches a version that did not load, so the fixed archive needs another version."""
    broken = install(standin, TASKLANE, pieceArchive=(an_archive("src/index.js"), "x.tgz"))
    mended = install(standin, TASKLANE)
    next_one = install(standin, TASKLANE, pieceVersion="9.0.0")

    assert [one.status_code for one in (broken, mended, next_one)] == [400, 400, 201]


def test_an_invalid_archive_may_be_replaced_by_a_valid_one(standin: Standin) -> None:
    assert install(standin, TASKLANE, pieceArchive=(io.BytesIO(b"x"), "x.tgz")).status_code == 400

    assert install(standin, TASKLANE).status_code == 201


def test_the_top_folder_may_have_any_name(standin: Standin) -> None:
    archive = an_archive(top="my-piece")

    assert install(standin, TASKLANE, pieceArchive=(archive, "x.tgz")).status_code == 201


@pytest.mark.parametrize(("version", "status"), [("0.85", 201), ("0.86", 400)])
def test_main_is_honored_by_newer_servers(version: Version, status: int) -> None:
    server = ActivepiecesServer(version=version)
    archive = an_archive(main="./dist/index.js")

    answer = install(calls(server), TASKLANE, pieceArchive=(archive, "x.tgz"))

    server.close()
    assert answer.status_code == status


@pytest.mark.parametrize(
    "changes",
    [
        {"pieceName": "@shop/../piece"},
        {"pieceName": "@shop/piece/x"},
        {"pieceName": "a b"},
        {"pieceVersion": "1.0"},
        {"pieceVersion": "1.0.0-beta.1"},
        {"pieceVersion": "~1.0.0"},
    ],
    ids=str,
)
def test_invalid_names_and_versions_are_rejected(standin: Standin, changes: Any) -> None:
    """Observed: no ``..`` in names; a version is exactly three numbers."""
    answer = install(standin, TASKLANE, **changes)

    assert answer.status_code == 400
    assert answer.get_json()["code"] == "FST_ERR_VALIDATION"


def test_a_piece_for_newer_servers_is_hidden() -> None:
    """From the source: the framework of current pieces requires 0.82, and new kinds of fields 0.86."""
    server = ActivepiecesServer(version="0.78")
    standin = calls(server)

    made = install(standin, build_archive(manifest("https://tasklane.example", minimumSupportedRelease="0.86.0")))
    shown = standin.ask("GET", f"/pieces/{TASKLANE.name}")

    server.close()
    assert (made.status_code, shown.status_code) == (201, 404)


@pytest.mark.parametrize("version", ["0.78", "0.85", "0.86", "0.92"])
def test_one_archive_is_for_all_servers(version: Version) -> None:
    server = ActivepiecesServer(version=version)
    install(calls(server), TASKLANE)

    shown = calls(server).ask("GET", f"/pieces/{TASKLANE.name}")

    server.close()
    assert shown.status_code == 200


@pytest.mark.parametrize("changes", [{"pieceArchive": None}, {"scope": "PROJECT"}, {"pieceName": None}])
def test_an_incomplete_form_is_rejected(standin: Standin, changes: Any) -> None:
    answer = install(standin, TASKLANE, **changes)

    assert answer.get_json()["message"] == "body/ Invalid input"


def test_only_admins_of_a_platform_whose_plan_has_it_install_pieces(standin: Standin) -> None:
    assert install(standin.by_member("Editor"), TASKLANE).status_code == 403
    standin.server.state.plan.discard("managePiecesEnabled")
    assert install(standin, TASKLANE).status_code == 402


def test_a_community_server_returns_the_installed_piece() -> None:
    """Observed on 0.85.2; the Enterprise Edition answers 201 with an empty object."""
    server = ActivepiecesServer(edition="ce")

    answer = install(calls(server).by_admin(), TASKLANE)

    assert answer.status_code == 201
    assert (answer.get_json()["name"], answer.get_json()["version"]) == (TASKLANE.name, TASKLANE.version)
    server.close()


def test_pieces_are_found_by_a_part_of_their_name() -> None:
    server = ActivepiecesServer(
        pieces=[StandinPiece("@acme/piece-crm", display_name="Big CRM"), StandinPiece("@acme/piece-shop")]
    )
    client = Client(server.app)

    def found(query: str) -> list[str]:
        answer = client.get("/api/v1/pieces", query_string={"searchQuery": query})
        return [piece["name"] for piece in answer.get_json()]

    assert found("big c") == ["@acme/piece-crm"]
    assert found("ACME") == ["@acme/piece-crm", "@acme/piece-shop"]
    assert found("nothing") == []
    server.close()


def test_a_hidden_piece_is_absent_in_its_project_only(activepieces_server: ActivepiecesServer) -> None:
    path = "/pieces/@activepieces/piece-webhook"
    ask = calls(activepieces_server).ask

    activepieces_server.hide_piece("@activepieces/piece-webhook")

    assert ask("GET", f"{path}?projectId={activepieces_server.project_id}").status_code == 404
    assert ask("GET", f"{path}?projectId=another").status_code == 200
    assert ask("GET", path).status_code == 200
