"""The API client with recorded responses: every recorded error becomes the right exception, over HTTP too."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from flask_activepieces.api_client import ActivepiecesClient, ConnectionPool, Retries, Timeout
from flask_activepieces.api_client.credentials import ApiKey, Credential, EmailPassword, UserToken
from flask_activepieces.api_client.decoding import decode_list, decode_object
from flask_activepieces.api_client.errors import (
    ApiError,
    AuthenticationFailed,
    CallTimedOut,
    CodeExchangeFailed,
    Conflict,
    ConnectionFailed,
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
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.connections import Connection, ConnectionDraft
from flask_activepieces.api_client.response import ApiResponse, decode
from tests.support.raw_server import Received, raw_server
from tests.support.recordings import Recording, recording, recordings

# --- Recorded errors ----------------------------------------------------------------

#: The error by status, and by the code or the beginning of the message.
MEANINGS: dict[tuple[int, str], type[ApiError]] = {
    (302, ""): UnexpectedResponse,
    (400, ""): InvalidRequest,
    (400, "ENGINE_OPERATION_FAILURE {}"): InvalidRequest,
    (400, "ENGINE_OPERATION_FAILURE Worker did not respond within the safety timeout"): WorkerUnavailable,
    (400, "INVALID_APP_CONNECTION"): ConnectionValueRejected,
    (400, "INVALID_CLAIM"): CodeExchangeFailed,
    (400, "INVALID_CLOUD_CLAIM"): CodeExchangeFailed,
    (401, ""): AuthenticationFailed,
    (402, "FEATURE_DISABLED"): PlanUpgradeRequired,
    (403, ""): PermissionDenied,
    (403, "AUTHORIZATION principal is not allowed for this route"): AuthenticationFailed,
    (403, "SESSION_EXPIRED"): AuthenticationFailed,
    (404, ""): ResourceNotFound,
    (404, "ENTITY_NOT_FOUND"): ResourceNotFound,
    (404, "Route not found"): RouteNotFound,
    (405, ""): RouteNotFound,
    (406, ""): InvalidRequest,
    (409, ""): Conflict,
    (410, ""): ResourceNotFound,
    (429, ""): RateLimited,
    (500, ""): ServerError,
}

REFUSED = [entry for entry in recordings() if entry.status >= 300]
NO_JSON = [
    entry
    for entry in recordings()
    if entry.status < 300 and entry.body is not None and entry.content_type != "application/json"
]


def answer_of(entry: Recording) -> ApiResponse:
    """The bytes that the server sent."""
    text = entry.body if isinstance(entry.body, str) else json.dumps(entry.body)
    return ApiResponse(entry.status, entry.headers, b"" if entry.body is None else text.encode())


def meaning_of(entry: Recording) -> type[ApiError]:
    """The error of the most specific row in `MEANINGS`."""
    body = entry.body if isinstance(entry.body, dict) else {}
    code = str(body.get("code") or "")
    message = str((body.get("params") or {}).get("message") or body.get("message") or "")
    rows = [(entry.status, key) for key in (f"{code} {message}".strip(), code, "")]
    return next(MEANINGS[row] for row in rows if row in MEANINGS)


def error_of(entry: Recording) -> ApiError:
    """The error of the API client."""
    with pytest.raises(ApiError) as failed:
        decode(entry.name, answer_of(entry))
    return failed.value


def test_every_recorded_error_becomes_the_right_error() -> None:
    errors = [(entry.name, error_of(entry)) for entry in REFUSED]

    found = [(name, type(error), error.status) for name, error in errors]
    assert found == [(entry.name, meaning_of(entry), entry.status) for entry in REFUSED]


def test_the_recordings_cover_the_errors() -> None:
    found = {meaning_of(entry) for entry in REFUSED}

    # The only 429 was noted manually, see below.
    assert set(MEANINGS.values()) - found == {RateLimited}


@pytest.mark.parametrize("entry", NO_JSON, ids=lambda entry: entry.name)
def test_recorded_pages_and_streams_are_unexpected_responses(entry: Recording) -> None:
    with pytest.raises(UnexpectedResponse):
        decode(entry.name, answer_of(entry))


# --- Successful responses -------------------------------------------------------------------------

ACCEPTED = [
    entry for entry in recordings() if entry.status in {200, 201} and entry.content_type == "application/json"
]
LISTS = [
    entry for entry in ACCEPTED if entry.method == "GET" and entry.path.partition("?")[0].endswith("/app-connections")
]
UPSERTS = [
    entry
    for entry in ACCEPTED
    if entry.method == "POST" and entry.path.endswith("/app-connections") and isinstance(entry.body, dict)
]


def test_every_recorded_list_of_connections_is_decoded() -> None:
    for entry in LISTS:
        rows = decode_list(Connection, decode(entry.name, answer_of(entry)), entry.name)
        assert [row.id for row in rows] == [item["id"] for item in entry.body["data"]], entry.name


def test_every_recorded_upsert_is_decoded() -> None:
    for entry in UPSERTS:
        made = decode_object(Connection, decode(entry.name, answer_of(entry)), entry.name)
        assert (made.external_id, made.status) == (entry.body["externalId"], entry.body["status"]), entry.name


# --- The whole client, over HTTP ------------------------------------------------------------------

PROJECT = "H4SMHoAgJs8TNlXiaOIoV"
OTHER = "aaaaaaaaaaaaaaaaaaaaa"
ONCE = Retries(attempts=1)
#: The response of a 0.85.2 server to the fifty-first sign-in within a minute.
LIMITED = {"statusCode": 429, "error": "Too Many Requests", "message": "Rate limit exceeded, retry in 56 seconds"}

Do = Callable[[ActivepiecesClient], object]


def upsert(client: ActivepiecesClient) -> object:
    draft = ConnectionDraft(
        project_id=PROJECT,
        external_id="c",
        display_name="c",
        piece_name="@activepieces/piece-acme-secret",
        value=SecretText("a-canary-value"),
    )
    return client.connections.upsert(draft)


def list_connections(client: ActivepiecesClient) -> object:
    return client.connections.list(PROJECT)


def replay(entry: Recording) -> Callable[[Received], None]:
    """Returns a recorded response."""
    found = answer_of(entry)
    return lambda request: request.answer(found.status, found.body, kind=entry.headers.get("content-type", ""))


def make_client(url: str, credential: Credential | None = None, timeout: Timeout | None = None) -> ActivepiecesClient:
    return ActivepiecesClient(
        url, credential=credential or ApiKey("sk-a-canary-key"), timeout=timeout, pool=ConnectionPool(retries=ONCE)
    )


@dataclass(frozen=True)
class Edge:
    """One recorded failure."""

    name: str
    do: Do
    error: type[ApiError]
    detail: str
    credential: Credential | None = None


EDGES = [
    Edge("redirect page root", list_connections, UnexpectedResponse, "the response is text/html, not JSON"),
    Edge("conn upsert bad token", upsert, AuthenticationFailed, "Cannot read properties of undefined"),
    Edge("bad api key: /api/v1/users", lambda client: client.users.list(), AuthenticationFailed, "invalid api key"),
    Edge("no token: projects", lambda client: client.projects.list(), AuthenticationFailed,
         "principal is not allowed"),
    Edge("CE sign-out / expired token", lambda client: client.projects.list(), AuthenticationFailed,
         "The session has expired", UserToken("ey.1")),
    Edge("sign-in wrong password", list_connections, AuthenticationFailed, "",
         EmailPassword("ada@example.com", "wrong-1")),
    Edge("global-connections while plan lacks it", lambda client: client.global_connections.list(),
         PlanUpgradeRequired, "Feature is disabled"),
    Edge("member: upsert", upsert, PermissionDenied, "this needs the permission WRITE_APP_CONNECTION"),
    Edge("member: connections of another project", list_connections, PermissionDenied, "No role found for the user"),
    Edge("conn list unknown projectId", list_connections, ResourceNotFound, "no project bbbbbbbbbbbbbbbbbbbbb"),
    Edge("conn delete again", lambda client: client.connections.delete(OTHER), ResourceNotFound, "no app_connection"),
    Edge("CE GET /api/v1/project-members", lambda client: client.members.list(PROJECT), RouteNotFound,
         "Route not found"),
    Edge("conn upsert with non-semver pieceVersion", upsert, Conflict, "Invalid piece version"),
    Edge("conn replace different pieces",
         lambda client: client.connections.replace(PROJECT, source_id="a", target_id="b"),
         Conflict, "Connections must be from the same app", UserToken("ey.1")),
    Edge("conn upsert unknown type", upsert, InvalidRequest, "body/ Invalid input"),
    Edge("[worker] upsert a connection of the installed piece, refused", upsert, ConnectionValueRejected,
         "API key must start with ok-"),
    Edge("OAUTH2 error 400 invalid_grant", upsert, CodeExchangeFailed, "The authorization code is expired."),
    Edge("OAUTH2 token endpoint down (connection refused)", upsert, CodeExchangeFailed, ""),
    Edge("[prod env, no worker running] upsert SECRET_TEXT", upsert, WorkerUnavailable, "Worker did not respond"),
    Edge("conn upsert NUL char in displayName", upsert, ServerError, "a string contains a NUL character"),
    Edge("conn list bad base64 cursor", list_connections, ServerError, "entity property not found"),
]  # fmt: skip


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_a_recorded_failure_raises_the_right_error(edge: Edge) -> None:
    with raw_server(replay(recording(edge.name))) as server, pytest.raises(ApiError) as failed:
        edge.do(make_client(server.url, edge.credential))

    assert type(failed.value) is edge.error
    assert edge.detail in failed.value.detail
    assert "canary" not in str(failed.value)


def test_a_recorded_rate_limit_has_a_retry_after() -> None:
    def limit(request: Received) -> None:
        request.answer(429, LIMITED, Retry_After="56")

    with raw_server(limit) as server, pytest.raises(RateLimited) as failed:
        list_connections(make_client(server.url, EmailPassword("ada@example.com", "a-canary-pw")))

    assert failed.value.retry_after == 56


def test_a_missing_worker_times_out_before_300_seconds() -> None:
    """Without a worker, the real server did not respond for 300 seconds; a shorter timeout expires first."""
    assert recording("[prod env, no worker running] upsert SECRET_TEXT").milliseconds > 300_000

    begun = time.monotonic()
    with raw_server(lambda request: time.sleep(2)) as server, pytest.raises(CallTimedOut) as failed:
        upsert(make_client(server.url, timeout=Timeout(read=0.2)))

    assert failed.value.seconds == 0.2
    assert failed.value.outcome_unknown
    assert time.monotonic() - begun < 1


def test_a_connection_reset_in_the_body_is_an_error_and_not_repeated() -> None:
    def reset(request: Received) -> None:
        request.send(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
        time.sleep(0.05)
        request.reset()

    with raw_server(reset) as server, pytest.raises(ConnectionFailed) as failed:
        upsert(ActivepiecesClient(server.url, "sk-1"))

    assert failed.value.outcome_unknown
    assert len(server.received) == 1
