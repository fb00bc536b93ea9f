"""What the author of a flow reads when a step fails."""

from __future__ import annotations

import threading
from email.utils import formatdate
from time import time
from typing import Any

import pytest

from tests.pieces.conftest import LoadPiece
from tests.support.piece_engine import PieceError
from tests.support.piece_host import API, PieceHost
from tests.support.piece_manifest import action

CALL = f"{API}/actions/call"


def failure_of(load_piece: LoadPiece, connection: Any = None, **settings: Any) -> PieceError:
    piece = load_piece(*[connection] if connection else [], actions=action("call", {}))
    context = {"run": {"id": "r"}, "step": {"name": "s"}}
    with pytest.raises(PieceError) as raised:
        piece.call(["action", "call", "run"], {}, settings=settings, **context)
    return raised.value


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, {"detail": "The token has expired."}, "Reconnect: the sign-in to Tasklane has ended."),
        (
            403,
            {"code": "insufficient_scope", "scope": "tasks:write"},
            "The connection lacks the permission tasks:write: reconnect and allow it.",
        ),
        (
            403,
            {"error": "insufficient_scope", "scope": ["a", "b"]},
            "The connection lacks the permissions a, b: reconnect and allow it.",
        ),
        (
            403,
            {"code": "insufficient_scope"},
            "The connection lacks a permission in Tasklane: reconnect and allow it.",
        ),
        (403, {"code": "not_allowed", "detail": "Only admins may."}, "Only admins may."),
        (
            422,
            {"detail": "Invalid input", "fields": {"title": ["Not a valid string."], "due": "Missing."}},
            "title: Not a valid string. due: Missing.",
        ),
        (
            422,
            {"errors": {"lines": {"0": {"name": ["Too long."]}}, "_schema": ["Choose one."]}},
            "lines.0.name: Too long. Choose one.",
        ),
        (422, {"detail": "The project is archived."}, "The project is archived."),
        (429, {}, "Tasklane is busy. Try again later."),
        (404, {"title": "Not found"}, "Not found"),
        (400, {"error": "invalid", "error_description": "No such task."}, "No such task."),
        (500, b"<html>secret stack trace</html>", "Tasklane answered with status 500."),
        (500, {"internal": "secret"}, "Tasklane answered with status 500."),
        (302, {}, "Tasklane answers with a redirect: check its address in the connection."),
    ],
)
def test_sentence_for_an_answer(
    load_piece: LoadPiece, host: PieceHost, status: int, body: object, sentence: str
) -> None:
    host.on("POST", CALL, status, body)

    assert str(failure_of(load_piece)) == sentence


def test_scope_is_taken_from_the_challenge_too(load_piece: LoadPiece, host: PieceHost) -> None:
    """RFC 6750 §3: the scope of an insufficient_scope is in the header."""
    challenge = 'Bearer realm="api", error="insufficient_scope", scope="tasks:read tasks:write"'
    host.on("POST", CALL, 403, b"no", WWW_Authenticate=challenge)

    assert str(failure_of(load_piece)) == (
        "The connection lacks the permissions tasks:read, tasks:write: reconnect and allow it."
    )


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "end"),
    [("7", "Try again in 7 seconds."), ("1", "Try again in 1 second."), ("soon", "Try again later.")],
)
def test_busy_app_says_when_to_try_again(
    load_piece: LoadPiece, host: PieceHost, status: int, header: str, end: str
) -> None:
    host.on("POST", CALL, status, {"detail": "Too many tasks."}, Retry_After=header)

    assert str(failure_of(load_piece)) == f"Too many tasks. {end}"


def test_retry_after_may_be_a_date(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CALL, 503, {}, Retry_After=formatdate(time() + 90, usegmt=True))

    assert str(failure_of(load_piece)).startswith("Tasklane is busy. Try again in ")


def test_error_repeats_no_secret_that_the_app_repeats(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on("POST", CALL, 400, {"detail": "Wrong token: personal-token-1."})
    connection = {"type": "SECRET_TEXT", "secret_text": "personal-token-1"}

    error = failure_of(load_piece, connection)

    assert str(error) == "Wrong token: [hidden]."
    assert "personal-token-1" not in error.shown


def test_error_shows_no_stack(load_piece: LoadPiece, host: PieceHost) -> None:
    """The engine shows the author the whole error, and paths of files say nothing to them."""
    host.on("POST", CALL, 400, {"detail": "The project is archived."})

    assert failure_of(load_piece).shown == "[Error: The project is archived.]"


def test_app_that_is_away(load_piece: LoadPiece) -> None:
    piece = load_piece(actions=action("call", {}), baseUrl="http://127.0.0.1:1")

    with pytest.raises(
        PieceError, match=r"^Tasklane cannot be reached at http://127.0.0.1:1 \(.+\)\. Check its address"
    ):
        piece.run("call")


def test_connection_that_breaks(load_piece: LoadPiece, host: PieceHost) -> None:
    host.on_call("POST", CALL, lambda request: request.reset())

    assert str(failure_of(load_piece)).startswith(f"Tasklane cannot be reached at {host.url} (")


@pytest.mark.parametrize("sent_first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_slow_app_is_not_waited_for(load_piece: LoadPiece, host: PieceHost, sent_first: bytes) -> None:
    """The timeout covers the whole answer, not only its beginning."""
    over = threading.Event()

    def stall(request: Any) -> None:
        request.send(sent_first)
        over.wait(30)

    host.on_call("POST", CALL, stall)

    error = failure_of(load_piece, timeouts={"action": 0.5})

    over.set()
    assert str(error) == "Tasklane did not answer within 0.5 seconds. Try again later."
