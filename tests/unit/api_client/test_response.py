"""Each response, in the formats of real servers, becomes its JSON or the right error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_activepieces.api_client.errors import (
    ApiError,
    AuthenticationFailed,
    CodeExchangeFailed,
    Conflict,
    ConnectionValueRejected,
    InvalidRequest,
    PermissionDenied,
    PlanUpgradeRequired,
    RateLimited,
    ResourceNotFound,
    RouteNotFound,
    ServerError,
    UnexpectedResponse,
    WorkerUnavailable,
)
from flask_activepieces.api_client.response import ApiResponse, decode, error_from_response
from tests.support.scripted_pool import json_answer


def business(code: str, **params: Any) -> dict[str, Any]:
    """An error body of Activepieces' own code."""
    return {"code": code, "params": params or None}


def framework(status: int, message: str, **more: Any) -> dict[str, Any]:
    """An error body of its web framework."""
    return {"statusCode": status, "error": "…", "message": message, **more}


def meaning(status: int, body: object, **headers: str) -> ApiError:
    return error_from_response("things.list", json_answer(status, body, **headers))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, framework(400, "body/ Invalid input", code="FST_ERR_VALIDATION"), InvalidRequest),
        (400, business("INVALID_APP_CONNECTION", error="wrong key"), ConnectionValueRejected),
        (400, business("INVALID_CLAIM", message="The code is expired."), CodeExchangeFailed),
        (400, business("INVALID_CLOUD_CLAIM", pieceName="slack"), CodeExchangeFailed),
        (400, business("ENGINE_OPERATION_FAILURE", message="{}"), InvalidRequest),
        (400, business("ENGINE_OPERATION_FAILURE", message="Worker did not respond"), WorkerUnavailable),
        (401, business("AUTHENTICATION", message="invalid api key"), AuthenticationFailed),
        (401, business("INVALID_CREDENTIALS"), AuthenticationFailed),
        (401, framework(401, "Cannot read properties of undefined (reading 'type')"), AuthenticationFailed),
        (402, business("FEATURE_DISABLED", message="Feature is disabled"), PlanUpgradeRequired),
        (403, business("AUTHORIZATION", message="principal is not allowed for this route"), AuthenticationFailed),
        (403, business("AUTHORIZATION", message="No role found for the user"), PermissionDenied),
        (403, business("PERMISSION_DENIED", permission="WRITE_FLOW"), PermissionDenied),
        (403, business("SESSION_EXPIRED", message="The session has expired"), AuthenticationFailed),
        (404, business("ENTITY_NOT_FOUND", entityId="a", entityType="project"), ResourceNotFound),
        (404, framework(404, "Route not found"), RouteNotFound),
        (404, framework(404, "Route GET:/v1/x not found"), RouteNotFound),
        (404, {}, ResourceNotFound),
        (405, {"error": "Method Not Allowed"}, RouteNotFound),
        (409, business("VALIDATION", message="Invalid piece version"), Conflict),
        (410, {}, ResourceNotFound),
        (413, framework(413, "Request body is too large"), InvalidRequest),
        (422, None, InvalidRequest),
        (429, framework(429, "Rate limit exceeded, retry in 56 seconds"), RateLimited),
        (500, framework(500, "…", code="23505"), ServerError),
        (503, [], ServerError),
        (301, None, UnexpectedResponse),
        (100, None, UnexpectedResponse),
        (600, None, UnexpectedResponse),
    ],
)  # fmt: skip
def test_a_response_becomes_the_right_error(status: int, body: object, kind: type[ApiError]) -> None:
    error = meaning(status, body)

    assert type(error) is kind
    assert (error.operation, error.status) == ("things.list", status)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UnexpectedResponse),
        (401, UnexpectedResponse),
        (403, UnexpectedResponse),
        (404, UnexpectedResponse),
        (413, InvalidRequest),
        (429, RateLimited),
        (502, ServerError),
        (504, ServerError),
    ],
)
def test_a_web_page_comes_from_a_proxy_or_another_service(status: int, kind: type[ApiError]) -> None:
    error = error_from_response("x", ApiResponse(status, {"content-type": "text/html"}, b"<html>"))

    assert type(error) is kind


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 429, 500])
@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'"x"', b'{"params": "x", "code": 1}'])
def test_an_unreadable_body_does_not_change_the_error(status: int, body: bytes) -> None:
    error = error_from_response("x", ApiResponse(status, {"content-type": "application/json"}, body))

    assert type(error) is type(error_from_response("x", ApiResponse(status, {})))
    assert (error.code, error.detail) == (None, "")


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (business("A", message="one"), "A", "one"),
        (business("A", error="two"), "A", "two"),
        (business("A", entityType="flow", entityId="f1"), "A", "no flow f1"),
        (business("A", entityType="flow"), "A", "no such flow"),
        (business("A", permission="WRITE_FLOW"), "A", "this needs the permission WRITE_FLOW"),
        (framework(400, "three", code="FST"), "FST", "three"),
        ({"error": "invalid_grant", "error_description": "four"}, None, "four"),
        ({"error": "unauthorized"}, None, "unauthorized"),
        ({"code": "a code with a canary"}, None, ""),
    ],
)
def test_code_and_detail_are_found_in_every_format(body: object, code: str | None, detail: str) -> None:
    error = meaning(400, body)

    assert (error.code, error.detail) == (code, detail)


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("23505", "something with the same unique value exists: …"),
        ("23502", "a required value is missing: …"),
        ("23503", "it refers to something that does not exist: …"),
        ("22021", "a string contains a NUL character: …"),
        ("57014", "…"),
    ],
)
def test_a_database_code_is_explained(code: str, detail: str) -> None:
    error = meaning(500, framework(500, "…", code=code))

    assert (error.code, error.detail) == (code, detail)


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry_after": "56"}, "retry in 3 seconds", 56),
        ({"retry_after": "0"}, "", 0),
        ({}, "Rate limit exceeded, retry in 56 seconds", 56),
        ({}, "Rate limit exceeded, retry in 1 minute", 60),
        ({}, "Slow down", None),
        ({"retry_after": "soon"}, "", None),
        ({"retry_after": "-1"}, "", None),
        ({"retry_after": "\u0663"}, "", None),
        ({"retry_after": "Sat, 21 Nov 2026 08:00:30 GMT", "date": "Sat, 21 Nov 2026 08:00:00 GMT"}, "", 30),
        ({"retry_after": "Sat, 21 Nov 2026 07:00:00 GMT", "date": "Sat, 21 Nov 2026 08:00:00 GMT"}, "", 0),
        ({"retry_after": "Sat, 21 Nov 2026 08:00:30 GMT"}, "", None),
    ],
)
def test_retry_after_comes_from_the_header_or_the_message(
    headers: dict[str, str], message: str, seconds: float | None
) -> None:
    assert meaning(429, framework(429, message), **headers).retry_after == seconds


def test_a_server_error_may_have_a_retry_after() -> None:
    assert meaning(503, None, retry_after="7").retry_after == 7


def test_a_redirect_is_reported_with_its_host_only() -> None:
    error = meaning(302, None, location="https://user:pw@login.example.com/?token=canary")

    assert error.detail == "the response is a redirect to https://login.example.com"


@pytest.mark.parametrize("location", ["/login", "https://[", "//", "\x00"])
def test_a_redirect_without_a_valid_location_is_reported(location: str) -> None:
    assert "redirect" in meaning(302, None, location=location).detail


def test_an_error_does_not_repeat_a_sent_secret() -> None:
    answer = json_answer(400, business("INVALID_APP_CONNECTION", error="key canary-1 is bad"))

    error = error_from_response("x", answer, secrets=["canary-1"])

    assert error.detail == "key … is bad"


def test_a_successful_response_returns_its_json() -> None:
    assert decode("things.list", json_answer(201, {"id": "x"})) == {"id": "x"}


@pytest.mark.parametrize("answer", [ApiResponse(204, {}), ApiResponse(200, {}), ApiResponse(204, {}, b"odd")])
def test_a_response_without_a_body_is_none(answer: ApiResponse) -> None:
    assert decode("things.list", answer) is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html; charset=utf-8", b"<html>"),
        ("text/html", b""),
        ("text/plain", b"ok"),
        ("text/event-stream", b"event: message"),
        ("", b"{}"),
        ("application/json", b"{"),
        ("application/json", b"\xff\xfe\x00"),
        ("application/json", b"[" * 100_000),
        ("application/json", b"9" * 5000),
    ],
)
def test_success_without_json_is_an_unexpected_response(kind: str, body: bytes) -> None:
    with pytest.raises(UnexpectedResponse) as failed:
        decode("things.list", ApiResponse(200, {"content-type": kind} if kind else {}, body))

    assert "base URL" in str(failed.value)


def test_only_invalid_json_leaves_the_outcome_unknown() -> None:
    with pytest.raises(UnexpectedResponse) as page:
        decode("things.list", ApiResponse(200, {"content-type": "text/html"}, b"<html>"))
    with pytest.raises(UnexpectedResponse) as broken:
        decode("things.list", ApiResponse(201, {"content-type": "application/json"}, b"{"))

    assert not page.value.outcome_unknown
    assert broken.value.outcome_unknown


_KINDS = ["application/json", "application/problem+json", "text/html", "text/plain", "x", ""]


@given(
    status=st.integers(0, 999),
    kind=st.sampled_from(_KINDS),
    extra=st.dictionaries(st.sampled_from(["retry-after", "date", "location", "content-encoding"]), st.text()),
    body=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["code", "message", "params", "error", "entityType", "x"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode()),
)
def test_every_response_becomes_json_or_an_api_error(
    status: int, kind: str, extra: dict[str, str], body: bytes
) -> None:
    try:
        decode("things.list", ApiResponse(status, {"content-type": kind, **extra}, body), secrets=["sk-1"])
    except ApiError as failed:
        assert len(str(failed)) < 1000
    else:
        assert 200 <= status < 300
