"""Pieces: their ways to authenticate, in every format, and the installation of your own pieces."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client import Timeout
from flask_activepieces.api_client.errors import (
    CallTimedOut,
    Conflict,
    PieceInstallationFailed,
    ResourceNotFound,
    UnexpectedResponse,
    WorkerUnavailable,
)
from flask_activepieces.api_client.resources.pieces import Pieces
from flask_activepieces.errors import InvalidInput
from tests.support.calls import FakeTransport, answer, says

OAUTH = "@activepieces/piece-acme-oauth"
OURS = "@local/piece-flaskext"


def test_a_piece_has_its_way_to_authenticate() -> None:
    transport = says("pieces get url-encoded")

    piece = Pieces(transport).get(OAUTH)

    assert (piece.name, piece.display_name, piece.version) == (OAUTH, "Acme OAuth", "0.1.0")
    assert piece.actions == ("whoami", "call_api")
    assert piece.triggers == ()
    assert piece.auth is not None
    assert piece.auth.type == "OAUTH2"
    assert piece.auth.auth_url == "http://127.0.0.1:9555/oauth/authorize"
    assert piece.auth.token_url == "http://127.0.0.1:9555/oauth/token"
    assert piece.auth.scope == ("read", "write")
    assert (piece.auth.pkce, piece.auth.pkce_method) == (True, "S256")
    assert transport.lines == ["GET /pieces/@activepieces%2Fpiece-acme-oauth"]


def test_a_piece_can_be_fetched_by_version_and_project() -> None:
    transport = says("pieces get with projectId/version")

    Pieces(transport).get(OAUTH, version="0.1.0", project_id="H4SMHoAgJs8TNlXiaOIoV")

    assert transport.last.query == {"version": "0.1.0", "projectId": "H4SMHoAgJs8TNlXiaOIoV"}


def test_pieces_are_searched() -> None:
    transport = says("pieces search")

    plain, tenant = Pieces(transport).list(search="acme oauth")

    assert plain.name == OAUTH
    assert plain.actions == ()
    assert tenant.auth is not None
    assert tenant.auth.auth_url == "{base_url}/oauth/authorize"
    assert tenant.auth.authorization_method == "HEADER"
    assert tenant.auth.grant_type == "both_client_credentials_and_authorization_code"
    assert list(tenant.auth.props) == ["base_url", "audience"]
    assert tenant.auth.props["base_url"].required
    assert not tenant.auth.props["audience"].required
    assert transport.last.query == {"searchQuery": "acme oauth"}


def test_a_piece_of_the_platform_names_it() -> None:
    piece = Pieces(says("[worker] installed piece")).get(OURS)

    assert (piece.piece_type, piece.platform_id) == ("CUSTOM", "plXpmpBs963GJ2HWNwFso")
    assert piece.auth is not None
    assert (piece.auth.type, piece.auth.description) == ("SECRET_TEXT", "starts with ok-")


PIECE = {"name": OURS, "displayName": "Ours", "version": "0.0.1"}


@pytest.mark.parametrize("auth", [{}, {"auth": None}, {"auth": []}])
def test_a_piece_may_have_no_authentication(auth: dict[str, object]) -> None:
    assert Pieces(says({**PIECE, **auth})).get(OURS).auth is None


def test_auth_is_the_first_of_several_ways_to_authenticate() -> None:
    ways = [{"type": "CUSTOM_AUTH", "props": {}}, {"type": "OAUTH2"}]

    piece = Pieces(says({**PIECE, "auth": ways})).get(OURS)

    assert [auth.type for auth in piece.auths] == ["CUSTOM_AUTH", "OAUTH2"]
    assert piece.auth == piece.auths[0]


@pytest.mark.parametrize(
    "broken",
    [
        {"auth": "OAUTH2"},
        {"auth": {"displayName": "no type"}},
        {"auth": {"type": "CUSTOM_AUTH", "props": {"a": {"displayName": "no type"}}}},
        {"auth": {"type": "CUSTOM_AUTH", "props": {"a": "text"}}},
        {"version": None},
    ],
)
def test_anything_but_a_piece_is_an_unexpected_response(broken: dict[str, object]) -> None:
    with pytest.raises(UnexpectedResponse):
        Pieces(says({**PIECE, **broken})).get(OURS)


@pytest.mark.parametrize("answer", [{"data": None}, ["text"], None])
def test_anything_but_a_list_of_pieces_is_an_unexpected_response(answer: object) -> None:
    with pytest.raises(UnexpectedResponse):
        Pieces(says(answer)).list()


def test_an_unknown_piece_is_not_found() -> None:
    with pytest.raises(ResourceNotFound):
        Pieces(says("pieces get unknown")).get("@activepieces/piece-nope")


def test_a_piece_is_installed_from_its_archive() -> None:
    transport = says("[worker] piece install ARCHIVE (api key)")

    Pieces(transport).install(b"tgz", name=OURS, version="0.0.1", timeout=Timeout(read=310, total=310))

    assert transport.lines == ["POST /pieces"]
    assert transport.last.body == {
        "packageType": "ARCHIVE",
        "scope": "PLATFORM",
        "pieceName": OURS,
        "pieceVersion": "0.0.1",
    }
    assert transport.last.files == {"pieceArchive": ("piece.tgz", b"tgz", "application/gzip")}
    assert transport.last.timeout == Timeout(read=310, total=310)
    assert not transport.last.is_repeatable


def test_an_existing_version_is_a_conflict() -> None:
    with pytest.raises(Conflict) as there:
        Pieces(says("[worker] piece install same version again")).install(b"tgz", name=OURS, version="0.0.1")

    assert "already_exists" in there.value.detail


def test_an_invalid_archive_is_rejected() -> None:
    with pytest.raises(PieceInstallationFailed) as refused:
        Pieces(says("[worker] piece install not a tgz")).install(b"text", name=OURS, version="0.0.1")

    assert refused.value.code == "ENGINE_OPERATION_FAILURE"


def test_a_failed_installation_mentions_the_piece() -> None:
    """Activepieces answers "{}", both for a broken archive and for code that does not load."""
    with pytest.raises(PieceInstallationFailed) as refused:
        Pieces(says("[worker] piece install not a tgz")).install(b"text", name=OURS, version="0.0.1")

    assert "{}" not in str(refused.value)
    assert "new version" in str(refused.value)
    assert "connection" not in str(refused.value)


def test_an_installation_that_times_out_mentions_the_piece() -> None:
    late = CallTimedOut("pieces.install", seconds=60)

    assert "Installing a piece" in str(late)
    assert "connection" not in str(late)


def test_an_installation_without_a_worker_is_worker_unavailable() -> None:
    body = {
        "code": "ENGINE_OPERATION_FAILURE",
        "params": {"message": "Worker did not respond within the safety timeout"},
    }

    with pytest.raises(WorkerUnavailable):
        Pieces(FakeTransport([answer(400, body)])).install(b"tgz", name=OURS, version="0.0.1")


@pytest.mark.parametrize("version", ["", "1", "1.2", "^1.2.3", "1.2.3-beta", "1.2.3\n"])
def test_an_inexact_version_is_rejected(version: str) -> None:
    transport = says()

    with pytest.raises(InvalidInput):
        Pieces(transport).install(b"tgz", name=OURS, version=version)

    assert transport.calls == []


def test_metadata_of_a_piece_is_what_the_server_stores() -> None:
    transport = says("pieces get url-encoded")

    metadata = Pieces(transport).metadata(OAUTH, version="0.1.0")

    assert set(metadata["actions"]) == {"whoami", "call_api"}
    assert (transport.lines, transport.last.query) == (
        ["GET /pieces/@activepieces%2Fpiece-acme-oauth"],
        {"version": "0.1.0"},
    )


def test_metadata_that_is_no_object_is_not_passed_on() -> None:
    with pytest.raises(UnexpectedResponse):
        Pieces(FakeTransport([answer(200, [])])).metadata(OAUTH)
