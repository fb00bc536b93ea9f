"""The catalogue of pieces, and pieces that come in an archive."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from example_app.pieces import KEY_MANIFEST, OAUTH_MANIFEST, PackedPiece, build_archive, pack
from flask_activepieces.testing import ActivepiecesServer, StandinPiece
from flask_activepieces.testing.standin.versions import Version
from tests.support.raw_server import Received, raw_server
from tests.support.standin import Standin, action, answering
from tests.support.standin import standin as calls

TASKLANE = pack(OAUTH_MANIFEST)
BY_KEY = pack(KEY_MANIFEST)


def install(standin: Standin, piece: PackedPiece, **changes: Any) -> TestResponse:
    form = {
        "packageType": "ARCHIVE",
        "scope": "PLATFORM",
        "pieceName": piece.name,
        "pieceVersion": piece.version,
        "pieceArchive": (io.BytesIO(piece.archive), "piece.tgz"),
        **changes,
    }
    return Client(standin.server.app).post(
        "/api/v1/pieces",
        data={name: value for name, value in form.items() if value is not None},
        headers={"Authorization": f"Bearer {standin.token}"},
    )


def test_an_installed_piece_has_the_fields_of_its_manifest(standin: Standin) -> None:
    answer = install(standin, TASKLANE)

    assert (answer.status_code, answer.get_json()) == (201, {})
    piece = standin.get(f"/pieces/{TASKLANE.name}")
    assert piece["version"] == TASKLANE.version
    assert piece["auth"]["tokenUrl"] == "{base_url}/oauth/token"
    assert set(piece["actions"]) == {"create_task", "list_tasks", "me"}
    assert piece["packageType"] == "ARCHIVE"


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
    assert install(standin, TASKLANE, pieceVersion="0.2.0").status_code == 201
    assert standin.get(f"/pieces/{TASKLANE.name}")["version"] == "0.2.0"
    first = standin.get(f"/pieces/{TASKLANE.name}?version={TASKLANE.version}")
    assert first["version"] == TASKLANE.version


def test_the_tenth_version_is_newer_than_the_ninth(standin: Standin) -> None:
    install(standin, TASKLANE, pieceVersion="0.10.0")
    install(standin, TASKLANE, pieceVersion="0.9.0")

    assert standin.get(f"/pieces/{TASKLANE.name}")["version"] == "0.10.0"


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"no archive",
        gzip.compress(b"no tar in it"),
        build_archive({"package/package.json": b"{}"}),
        build_archive({"package/src/manifest.json": b"{oops"}),
        TASKLANE.archive[:200],
    ],
    ids=["empty", "not zipped", "no tar", "no manifest", "no JSON", "cut off"],
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
    return io.BytesIO(build_archive(kept))


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
def test_main_is_honoured_by_newer_servers(version: Version, status: int) -> None:
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
    """From the source: the framework of current pieces requires 0.82."""
    server = ActivepiecesServer(version="0.78")
    standin = calls(server)
    made = Client(server.app).post(
        "/v1/pieces",
        data={
            "packageType": "ARCHIVE",
            "scope": "PLATFORM",
            "pieceName": TASKLANE.name,
            "pieceVersion": TASKLANE.version,
            "pieceArchive": (io.BytesIO(TASKLANE.archive), "x.tgz"),
        },
        headers={"Authorization": f"Bearer {standin.token}"},
    )

    shown = standin.ask("GET", f"/pieces/{TASKLANE.name}")

    server.close()
    assert (made.status_code, shown.status_code) == (201, 404)


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


def test_an_archived_action_calls_its_api_with_the_token(standin: Standin) -> None:
    install(standin, BY_KEY)
    standin.connect("key", BY_KEY.name, {"type": "SECRET_TEXT", "secret_text": "pat-1"})
    with raw_server(lambda received: received.answer(200, {"tasks": []})) as api:
        answer = run_list(standin, api.url)

    assert answer.get_json() == {"tasks": []}
    request = api.received[0]
    assert (request.method, request.target) == ("GET", "/api/tasks")
    assert request.headers["authorization"] == "Bearer pat-1"


@pytest.mark.parametrize(
    "behave",
    [
        lambda received: received.answer(401, {"error": "invalid_token"}),
        lambda received: received.answer(500, b"<html>", kind="text/html"),
        Received.reset,
    ],
    ids=["refused", "broken", "cut off"],
)
def test_an_api_error_fails_the_step(standin: Standin, behave: Any) -> None:
    install(standin, BY_KEY)
    standin.connect("key", BY_KEY.name, {"type": "SECRET_TEXT", "secret_text": "pat-1"})
    with raw_server(behave) as api:
        answer = run_list(standin, api.url)

    assert answer.status_code == 204
    run = standin.get(f"/flow-runs?projectId={standin.server.project_id}")["data"][0]
    assert run["failedStep"]["name"] == "step_1"
    assert "pat-1" not in run["failedStep"]["message"]


def run_list(standin: Standin, base_url: str) -> TestResponse:
    auth = "{{connections['key']}}"
    step = action("step_1", BY_KEY.name, "list_tasks", auth=auth, base_url=f"{base_url}/")
    flow_id = standin.flow(step, answering("step_2", "{{step_1['output']}}"))
    return standin.ask("POST", f"/webhooks/{flow_id}/sync", {})


def test_inputs_of_an_archived_action_become_its_body_without_empty_ones(standin: Standin) -> None:
    install(standin, TASKLANE)
    # stored directly; other tests cover connections created by a code
    with raw_server(lambda received: received.answer(201, {"id": 1})) as api:
        value = {"type": "CUSTOM_AUTH", "props": {"base_url": api.url}}
        standin.connect("key", TASKLANE.name, value)
        step = action(
            "step_1", TASKLANE.name, "create_task", auth="{{connections['key']}}", title="Buy milk", done=""
        )
        flow_id = standin.flow(step, answering("step_2", "{{step_1['output']}}"))
        answer = standin.ask("POST", f"/webhooks/{flow_id}/sync", {})

    assert answer.get_json() == {"id": 1}
    assert api.received[0].body == b'{"title": "Buy milk"}'
