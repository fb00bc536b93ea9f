"""Connections: the token that each kind sends, its check when it is saved, and the name of its account."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pieces.conftest import CONNECTION, LoadPiece
from tests.support.piece_engine import LoadedPiece, PieceError
from tests.support.piece_host import API, PieceHost, json_of
from tests.support.piece_manifest import BASIC_AUTH, CUSTOM_AUTH, OAUTH2, SECRET_TEXT, action

ME = f"{API}/me"
TOKEN = f"{API}/token"
CALL = f"{API}/actions/call"
ANN = {"id": "1", "name": "Ann", "email": "ann@tasklane.example", "workspace": {"id": "w", "name": "Acme"}}
BASIC = {"type": "BASIC_AUTH", "username": "ann", "password": "a long password"}


def custom(host: PieceHost, **more: Any) -> dict[str, Any]:
    return {"type": "CUSTOM_AUTH", "props": {"base_url": f"{host.url}/", "key": "key of ann"}, **more}


def sign_in(*, expires_in: int = 3600, token: str = "signed-in") -> dict[str, Any]:
    return {"access_token": token, "token_type": "Bearer", "expires_in": expires_in}


def piece_with(load_piece: LoadPiece, connection: dict[str, Any], **more: Any) -> LoadedPiece:
    return load_piece(connection, actions=action("call", {}), **more)


@pytest.mark.parametrize(
    "connection",
    [
        {"type": kind, "access_token": "the-token", "data": {}, "props": {}}
        for kind in ("OAUTH2", "CLOUD_OAUTH2", "PLATFORM_OAUTH2")
    ]
    + [{"type": "SECRET_TEXT", "secret_text": "the-token"}],
)
def test_token_of_the_connection_is_the_bearer_token(
    load_piece: LoadPiece, host: PieceHost, connection: dict[str, Any]
) -> None:
    host.on("POST", CALL)

    piece_with(load_piece, connection).run("call")

    assert [request.headers["authorization"] for request in host.received] == ["Bearer the-token"]


def test_user_name_and_password_are_exchanged_once_for_many_calls(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", TOKEN, 200, sign_in())
    host.on("POST", CALL)
    piece = piece_with(load_piece, BASIC)

    piece.run("call")
    piece.run("call")

    exchange, *calls = host.received
    assert json_of(exchange) == BASIC
    assert "authorization" not in exchange.headers
    assert [call.headers["authorization"] for call in calls] == ["Bearer signed-in"] * 2


def test_custom_fields_are_exchanged_at_the_address_that_they_contain(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", TOKEN, 200, sign_in())
    host.on("POST", CALL)
    connection = custom(host)

    piece_with(load_piece, connection, baseUrl="https://elsewhere.example").run("call")

    assert json_of(host.received[0]) == connection
    assert host.last.headers["authorization"] == "Bearer signed-in"


def test_token_is_exchanged_again_before_it_expires(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", TOKEN, 200, sign_in(expires_in=60))
    host.on("POST", CALL)
    piece = piece_with(load_piece, BASIC)

    piece.run("call")
    piece.run("call")

    assert [request.target for request in host.received] == [TOKEN, CALL, TOKEN, CALL]


def test_other_credentials_have_a_token_of_their_own(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on_call("POST", TOKEN, lambda request: request.answer(200, sign_in(token=json_of(request)["username"])))
    host.on("POST", CALL)
    piece = piece_with(load_piece, BASIC)

    for username in ("ann", "bob"):
        piece.connection = {**BASIC, "username": username}
        piece.run("call")

    sent = [request.headers.get("authorization") for request in host.received if request.target == CALL]
    assert sent == ["Bearer ann", "Bearer bob"]


def test_revoked_token_is_exchanged_again_once(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", TOKEN, 200, sign_in())
    host.on("POST", CALL, 401, {})

    with pytest.raises(PieceError, match="^Reconnect: the sign-in to Tasklane has ended.$"):
        piece_with(load_piece, BASIC).run("call")

    assert [request.target for request in host.received] == [TOKEN, CALL, TOKEN, CALL]


def test_refused_oauth_token_is_not_sent_again(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CALL, 401, {})

    with pytest.raises(PieceError, match="^Reconnect: "):
        piece_with(load_piece, CONNECTION).run("call")

    assert len(host.received) == 1


def test_token_that_the_server_keeps_is_used_until_it_is_refused(load_piece: LoadPiece, host: PieceHost) -> None:
    """Newer servers refresh the token of a custom form that says how."""
    accepted = {"Bearer kept", "Bearer signed-in"}
    host.on("POST", TOKEN, 200, sign_in())
    host.on_call("POST", CALL, lambda r: r.answer(200 if r.headers["authorization"] in accepted else 401, {}))
    piece = piece_with(load_piece, custom(host, access_token="kept"))
    piece.run("call")
    accepted.remove("Bearer kept")

    piece.run("call")
    piece.run("call")

    assert [request.target for request in host.received] == [CALL, CALL, TOKEN, CALL, CALL]


def test_wrong_password_in_a_flow_asks_to_reconnect(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", TOKEN, 401, {"detail": "Wrong password 'a long password'."})

    with pytest.raises(PieceError, match="^Reconnect: the sign-in to Tasklane has ended.$"):
        piece_with(load_piece, BASIC).run("call")


@pytest.mark.parametrize(
    "address", ["", "tasklane.example", "ftp://tasklane.example", "https://", "javascript:alert(1)"]
)
def test_address_must_be_a_url(load_piece: LoadPiece, address: str) -> None:
    connection = {**CONNECTION, "props": {"base_url": address}}

    with pytest.raises(PieceError, match="^Enter the address of Tasklane in the connection, such as https://"):
        piece_with(load_piece, connection, baseUrl=None).run("call")


# --- When a connection is saved ------------------------------------------------------------------------------------


def values_for(host: PieceHost) -> dict[str, Any]:
    """What the engine passes to `validate`: bare values for two of the kinds."""
    return {
        "OAUTH2": {"access_token": "signed-in", "data": {}, "props": {}},
        "SECRET_TEXT": "signed-in",
        "BASIC_AUTH": {"type": "BASIC_AUTH", "username": "ann", "password": "a long password"},
        "CUSTOM_AUTH": {"base_url": host.url, "key": "key of ann"},
    }


def ask_auth(piece: LoadedPiece, index: int, hook: str, auth: object) -> Any:
    return piece.ask(["auth", str(index), hook], {"auth": auth, "server": {"apiUrl": "x", "publicUrl": "y"}})


KINDS = [kind["type"] for kind in (OAUTH2, SECRET_TEXT, BASIC_AUTH, CUSTOM_AUTH)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_checked_and_named(load_piece: LoadPiece, host: PieceHost, kind: str) -> None:
    host.on("POST", TOKEN, 200, sign_in())
    host.on("GET", ME, 200, ANN)
    piece, value = load_piece(), values_for(host)[kind]

    assert ask_auth(piece, KINDS.index(kind), "validate", value) == {"valid": True}
    assert host.last.headers["authorization"] == "Bearer signed-in"
    assert ask_auth(piece, KINDS.index(kind), "getConnectionIdentifier", value) == "Ann, ann@tasklane.example (Acme)"


@pytest.mark.parametrize("kind", KINDS)
def test_refused_sign_in_is_not_valid(load_piece: LoadPiece, host: PieceHost, kind: str) -> None:
    for method, path in (("POST", TOKEN), ("GET", ME)):
        host.on(method, path, 401, {"detail": "Unknown token signed-in."})
    piece, value = load_piece(), values_for(host)[kind]

    assert ask_auth(piece, KINDS.index(kind), "validate", value) == {
        "valid": False,
        "error": "Tasklane does not accept this sign-in: check what you entered, and try again.",
    }
    assert ask_auth(piece, KINDS.index(kind), "getConnectionIdentifier", value) is None


def test_check_of_an_app_that_is_away_says_so(load_piece: LoadPiece) -> None:
    piece = load_piece(baseUrl="http://127.0.0.1:1")

    answer = ask_auth(piece, 1, "validate", "signed-in")

    assert answer["valid"] is False
    assert answer["error"].startswith("Tasklane cannot be reached at http://127.0.0.1:1 (")


@pytest.mark.parametrize(
    ("me", "label"),
    [
        ({"name": "ann@tasklane.example", "email": "ann@tasklane.example"}, "ann@tasklane.example"),
        ({"name": "Ann", "workspace": {"name": "Acme"}}, "Ann (Acme)"),
        ({"id": "1"}, None),
    ],
)
def test_label_has_what_the_app_tells(load_piece: LoadPiece, host: PieceHost, me: object, label: str | None) -> None:
    host.on("GET", ME, 200, me)

    assert ask_auth(load_piece(), 1, "getConnectionIdentifier", "signed-in") == label


def test_custom_form_is_refreshed_by_the_server(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", TOKEN, 200, sign_in(expires_in=1800))
    context = {"auth": values_for(host)["CUSTOM_AUTH"], "server": {}}

    answer = load_piece().ask(["auth", "3", "refresh", "generate"], context)

    assert answer == {"access_token": "signed-in", "expires_in": 1800}


def test_one_kind_is_an_object_and_none_is_absent(load_piece: LoadPiece) -> None:
    assert load_piece(auth=[SECRET_TEXT]).metadata()["auth"]["type"] == "SECRET_TEXT"


def test_piece_without_auth_has_none(load_piece: LoadPiece) -> None:
    assert "auth" not in load_piece(auth=[]).metadata()
