"""Messages are read strictly, and answers written by the book (JSON-RPC 2.0)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flask_activepieces.mcp.json_rpc import (
    INVALID_REQUEST,
    MAX_DEPTH,
    PARSE_ERROR,
    Encoded,
    RpcError,
    RpcNotification,
    RpcRequest,
    RpcResponse,
    decode,
    error_text,
    id_of,
    read_message,
    result_text,
)

REQUEST = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def code_of(function: Any, *arguments: Any) -> tuple[int, int]:
    with pytest.raises(RpcError) as caught:
        function(*arguments)
    return caught.value.code, caught.value.status


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b"\xff", b"[1,]", b'{"a": NaN}', b"Infinity", b'"\\ud800"', b"[" * 100_000, b"1" * 5000],
    ids=lambda body: body[:12],
)
def test_what_is_not_json_is_a_parse_error(body: bytes) -> None:
    assert code_of(decode, body) == (PARSE_ERROR, 400)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_json_may_be_nested_as_deep_as_a_form_but_not_deeper() -> None:
    decode(nested(MAX_DEPTH))

    assert code_of(decode, nested(MAX_DEPTH + 1)) == (INVALID_REQUEST, 400)
    assert code_of(decode, b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)) == (INVALID_REQUEST, 400)


def test_wide_json_is_not_deep() -> None:
    assert len(decode(b"[" + b"{}," * 1000 + b"{}]")) == 1001


def test_requests_notifications_and_responses_are_told_apart() -> None:
    assert read_message({**REQUEST, "params": {"a": 1}}) == RpcRequest(1, "ping", {"a": 1})
    assert read_message({**REQUEST, "id": "x"}) == RpcRequest("x", "ping", {})
    assert read_message({"jsonrpc": "2.0", "method": "notifications/initialized"}) == RpcNotification(
        "notifications/initialized"
    )
    assert read_message({"jsonrpc": "2.0", "id": 1, "result": {}}) == RpcResponse()
    assert read_message({"jsonrpc": "2.0", "id": 1, "error": {}}) == RpcResponse()


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "ping",
        7,
        [],
        {},
        {"id": 1, "method": "ping"},
        {**REQUEST, "jsonrpc": "1.0"},
        {**REQUEST, "jsonrpc": 2.0},
        {"jsonrpc": "2.0", "id": 1},
        {**REQUEST, "method": None},
        {**REQUEST, "method": ["ping"]},
        {**REQUEST, "params": None},
        {**REQUEST, "params": []},
        {**REQUEST, "params": "a"},
        {**REQUEST, "id": None},
        {**REQUEST, "id": True},
        {**REQUEST, "id": 1.5},
        {**REQUEST, "id": {}},
    ],
    ids=str,
)
def test_what_is_not_a_message_is_an_invalid_request(raw: Any) -> None:
    assert code_of(read_message, raw) == (INVALID_REQUEST, 400)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"id": 5}, 5),
        ({"id": "a"}, "a"),
        ({"id": None}, None),
        ({"id": True}, None),
        ({}, None),
        ([], None),
        (1, None),
    ],
)
def test_an_error_has_the_id_of_what_could_not_be_read(raw: Any, found: Any) -> None:
    assert id_of(raw) == found


def test_a_result_contains_what_is_encoded_already() -> None:
    text = result_text('a"b', {"tools": Encoded('[{"name": "x"}]'), "more": None})

    assert json.loads(text) == {"jsonrpc": "2.0", "id": 'a"b', "result": {"tools": [{"name": "x"}], "more": None}}


def test_an_error_without_a_known_id_has_none() -> None:
    error = RpcError(INVALID_REQUEST, "No.", data={"a": 1})

    assert json.loads(error_text(None, error)) == {
        "jsonrpc": "2.0",
        "error": {"code": INVALID_REQUEST, "message": "No.", "data": {"a": 1}},
    }
    assert json.loads(error_text(3, RpcError(1, "x"))) == {
        "jsonrpc": "2.0",
        "id": 3,
        "error": {"code": 1, "message": "x"},
    }
