"""A header that says something other than the body is refused, so that no proxy can be deceived."""

from __future__ import annotations

from base64 import b64encode

import pytest

from flask_activepieces.mcp.json_rpc import HEADER_MISMATCH, RpcError, RpcRequest
from flask_activepieces.mcp.mirrored_headers import check_mirrored_headers

CALL = RpcRequest(1, "tools/call", {"name": "create_task"})


def encoded(text: str) -> str:
    return f"=?base64?{b64encode(text.encode()).decode()}?="


def check(message: RpcRequest, **headers: str) -> None:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    check_mirrored_headers(message, given.get)


def test_headers_that_repeat_the_body_are_accepted() -> None:
    check(RpcRequest(1, "tools/list", {}), Mcp_Method="tools/list")
    check(CALL, Mcp_Method="tools/call", Mcp_Name="create_task")
    check(RpcRequest(1, "resources/read", {"uri": "trigger://x/samples"}), Mcp_Method="resources/read",
          Mcp_Name="trigger://x/samples")  # fmt: skip


def test_whitespace_around_a_value_is_not_a_part_of_it() -> None:
    check(CALL, Mcp_Method=" tools/call\t", Mcp_Name="  create_task  ")


@pytest.mark.parametrize("name", ["create_task", "Aufgabe löschen", " padded ", "=?base64?x?=", "a\nb"])
def test_a_name_may_be_in_base64(name: str) -> None:
    check(RpcRequest(1, "tools/call", {"name": name}), Mcp_Method="tools/call", Mcp_Name=encoded(name))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Mcp_Method": "tools/call"},
        {"Mcp_Name": "create_task"},
        {"Mcp_Method": "tools/list", "Mcp_Name": "create_task"},
        {"Mcp_Method": "TOOLS/CALL", "Mcp_Name": "create_task"},
        {"Mcp_Method": "tools/call", "Mcp_Name": "delete_task"},
        {"Mcp_Method": "tools/call", "Mcp_Name": "Create_task"},
        {"Mcp_Method": "tools/call", "Mcp_Name": ""},
        {"Mcp_Method": "tools/call", "Mcp_Name": encoded("delete_task")},
        {"Mcp_Method": "tools/call", "Mcp_Name": "=?base64?SGVsbG8?="},
        {"Mcp_Method": "tools/call", "Mcp_Name": "=?base64?SGVs!!!bG8=?="},
        {"Mcp_Method": "tools/call", "Mcp_Name": "=?base64?/w==?="},
        {"Mcp_Method": "tools/call", "Mcp_Name": "=?BASE64?Y3JlYXRlX3Rhc2s=?="},
        {"Mcp_Method": encoded("tools/call"), "Mcp_Name": "create_task"},
    ],
    ids=str,
)
def test_missing_and_different_headers_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(RpcError) as caught:
        check(CALL, **headers)

    assert (caught.value.code, caught.value.status) == (HEADER_MISMATCH, 400)


def test_an_error_does_not_repeat_a_long_value() -> None:
    with pytest.raises(RpcError) as caught:
        check(CALL, Mcp_Method="x" * 10_000, Mcp_Name="create_task")

    assert len(caught.value.message) < 400
