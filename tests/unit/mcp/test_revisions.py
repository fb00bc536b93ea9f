"""Which revision a request speaks: by its header, its metadata, or the handshake."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.mcp.json_rpc import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    UNSUPPORTED_PROTOCOL_VERSION,
    RpcError,
    RpcRequest,
)
from flask_activepieces.mcp.revisions import SUPPORTED, negotiated, revision_of, revision_of_header
from tests.support.agents import META, MODERN

VERSION = "io.modelcontextprotocol/protocolVersion"


def request(method: str = "tools/list", **meta: Any) -> RpcRequest:
    return RpcRequest(1, method, {"_meta": meta} if meta else {})


def refusal(message: RpcRequest, header: str | None) -> tuple[int, int]:
    with pytest.raises(RpcError) as caught:
        revision_of(message, header)
    return caught.value.code, caught.value.status


@pytest.mark.parametrize("revision", ["2025-03-26", "2025-06-18", "2025-11-25"])
def test_the_header_names_a_revision_with_a_handshake(revision: str) -> None:
    assert revision_of(request(), revision).name == revision


def test_without_a_header_it_is_the_oldest() -> None:
    assert revision_of(request(), None).name == "2025-03-26"
    assert revision_of(request(), None).has_batches


def test_a_stateless_request_carries_its_revision() -> None:
    assert revision_of(request(**META), MODERN).is_stateless


@pytest.mark.parametrize("missing", [VERSION, "io.modelcontextprotocol/clientCapabilities"])
def test_a_stateless_request_without_its_metadata_is_malformed(missing: str) -> None:
    meta = {key: value for key, value in META.items() if key != missing}

    assert refusal(request(**meta), MODERN) == (INVALID_PARAMS, 400)
    assert refusal(request(), MODERN) == (INVALID_PARAMS, 400)


def test_who_the_client_is_need_not_be_said() -> None:
    meta = {key: value for key, value in META.items() if "clientInfo" not in key}

    assert revision_of(request(**meta), MODERN).is_stateless


@pytest.mark.parametrize("header", [None, "2025-11-25", "v999"])
def test_header_and_body_must_agree(header: str | None) -> None:
    assert refusal(request(**META), header) == (HEADER_MISMATCH, 400)


@pytest.mark.parametrize("unknown", ["2024-11-05", "v999", "", "2026-07-28 "])
def test_an_unknown_revision_is_refused_with_those_that_exist(unknown: str) -> None:
    with pytest.raises(RpcError) as caught:
        revision_of_header(unknown)

    assert (caught.value.code, caught.value.status) == (UNSUPPORTED_PROTOCOL_VERSION, 400)
    assert caught.value.data == {"supported": SUPPORTED, "requested": unknown}
    assert SUPPORTED == ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]


@pytest.mark.parametrize("header", [None, "2025-06-18", MODERN, "v999"])
def test_a_handshake_comes_before_any_agreement(header: str | None) -> None:
    assert not revision_of(request("initialize"), header).is_stateless


def test_a_stateless_revision_has_no_handshake() -> None:
    assert refusal(request("initialize", **META), MODERN) == (METHOD_NOT_FOUND, 404)


@pytest.mark.parametrize(
    ("requested", "agreed"),
    [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        (MODERN, "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
        (None, "2025-11-25"),
        (["2025-06-18"], "2025-11-25"),
    ],
)
def test_a_handshake_agrees_on_the_requested_revision_or_the_newest(requested: Any, agreed: str) -> None:
    assert negotiated(requested).name == agreed
