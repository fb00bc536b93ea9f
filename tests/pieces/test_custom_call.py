"""The action "Custom API call": any request to the app, and to no other server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pieces.conftest import LoadPiece
from tests.support.piece_engine import LoadedPiece, PieceError
from tests.support.piece_host import PieceHost, json_of, query_of

PROPS = {
    name: {"type": kind, "displayName": name, "required": False}
    for name, kind in {"method": "STATIC_DROPDOWN", "path": "SHORT_TEXT", "query": "OBJECT", "body": "JSON"}.items()
}


@pytest.fixture
def piece(load_piece: LoadPiece) -> LoadedPiece:
    described = {"displayName": "Custom API call", "description": "", "requireAuth": True, "props": PROPS}
    return load_piece(actions={"custom_api_call": {**described, "request": {"custom": True}}})


def call(piece: LoadedPiece, path: str, method: str = "GET", **more: Any) -> dict[str, object]:
    answer: dict[str, object] = piece.run("custom_api_call", path=path, method=method, **more)
    return answer


def test_call_returns_status_headers_and_body(piece: LoadedPiece, host: PieceHost) -> None:
    host.on("POST", "/api/tasks", 201, {"id": 7}, X_Total="9")

    answer = call(piece, "/api/tasks?a=1", "POST", query={"b": "2"}, body={"title": "x"})

    assert (answer["status"], answer["body"], answer["headers"]["x-total"]) == (201, {"id": 7}, "9")  # type: ignore[index]
    assert (query_of(host.last), json_of(host.last)) == ({"a": ["1"], "b": ["2"]}, {"title": "x"})
    assert host.last.headers["authorization"] == "Bearer access-token-of-ann"


@pytest.mark.parametrize("url", ["api/tasks", "/api/tasks", "//api/tasks", " /api/tasks "])
def test_path_is_below_the_address_of_the_app(piece: LoadedPiece, host: PieceHost, url: str) -> None:
    host.on("GET", "/api/tasks", 200, [])

    assert call(piece, url)["body"] == []


def test_url_of_the_app_is_taken_as_it_is(piece: LoadedPiece, host: PieceHost) -> None:
    host.on("GET", "/api/tasks", 200, [])

    assert call(piece, f"{host.url}/api/tasks")["body"] == []


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://127.0.0.1:1/", "{host}@evil.example/", "{host}.evil.example/"]
)
def test_token_goes_to_no_other_server(piece: LoadedPiece, host: PieceHost, url: str) -> None:
    with pytest.raises(PieceError, match="^Enter a path, such as /api/tasks, or a URL that starts with http://127"):
        call(piece, url.replace("{host}", host.url))

    assert host.received == []


def test_redirect_is_not_followed(piece: LoadedPiece, host: PieceHost) -> None:
    host.on("GET", "/old", 302, {}, Location="http://evil.example/")

    with pytest.raises(PieceError, match="^Tasklane answers with a redirect"):
        call(piece, "/old")


def test_error_is_a_sentence(piece: LoadedPiece, host: PieceHost) -> None:
    host.on("DELETE", "/api/tasks/1", 409, {"detail": "The task is locked."})

    with pytest.raises(PieceError, match="^The task is locked.$"):
        call(piece, "/api/tasks/1", "DELETE")
