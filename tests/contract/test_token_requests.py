"""The stand-in sends token requests exactly like a real server, and stores the same fields of the responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import Client, TestResponse

from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.connections.rows import KIND, value_of
from tests.support.acme import acme_pieces
from tests.support.clock import StoppedClock
from tests.support.recordings import token_requests
from tests.support.token_endpoint import ReceivedRequest, Reply, TokenEndpoint, token_endpoint

from .comparison import differences

Case = dict[str, Any]

#: The address of the recorded token endpoint.
RECORDED = "http://127.0.0.1:9555"

_DEAD = Reply({"error": "invalid_grant"}, status=400)
_BROKEN = Reply({"error": "server_error"}, status=500)
#: Case -> the endpoint's responses before, or instead of, valid tokens.
ANSWERS: Mapping[str, list[Reply]] = {
    "OAUTH2 error 400 invalid_grant": [
        Reply({"error": "invalid_grant", "error_description": "The authorization code is expired."}, status=400)
    ],
    "OAUTH2 error 400 without error_description": [_DEAD],
    "OAUTH2 error 401 invalid_client": [Reply({"error_description": "Client authentication failed"}, status=401)],
    "OAUTH2 error 400 JSON null body": [Reply(None, status=400)],
    "OAUTH2 error 307 redirect": [Reply(status=307, location="/other")],
    "OAUTH2 error 500 x4 (retries)": [_BROKEN] * 4,
    "OAUTH2 error 503 then 200 (retry success)": [Reply(status=503)],
    "OAUTH2 error 429": [Reply({"error_description": "slow"}, status=429)],
    "refresh 400 invalid_grant": [_DEAD],
    "refresh 401 invalid_client": [Reply({"error": "invalid_client"}, status=401)],
    "refresh 400 non-JSON": [Reply(text="bad", status=400)],
    "refresh 500s": [_BROKEN] * 4,
}
#: Cases that only recorded requests, and the special fields of their connection.
SPECIAL_VALUES: Mapping[str, dict[str, Any]] = {
    "value carries access_token/refresh_token fields": {
        "access_token": "injected",
        "refresh_token": "injected-rt",
        "expires_in": 10,
    },
    "PLATFORM_OAUTH2 code exchange": {
        "type": "PLATFORM_OAUTH2",
        "client_id": "plat-cid",
        "code": "c",
        "code_challenge": "ver",
    },
}
#: The stored fields after a read; the rest of the value is not compared.
BEFORE_READS: Mapping[str, dict[str, Any]] = {
    "second read: refreshes on every read when expires_in < 900": {"expires_in": 50},
    "refresh of connection without expires_in (assumes 3600)": {"expires_in": None},
    "ERROR connection: no token request": {"refresh_token": "rt-7e6a0142"},
}
_AN_HOUR_AND_MORE = 4000

CASES = {case["case"]: case for case in token_requests()}
READS = {name: case for name, case in CASES.items() if "engine_response" in case or name in BEFORE_READS}
CLAIMS = {name: case for name, case in CASES.items() if name not in READS}


@dataclass(frozen=True)
class TokenRequestReplay:
    """A stand-in and a token endpoint."""

    server: ActivepiecesServer
    endpoint: TokenEndpoint
    clock: StoppedClock

    def with_our_address(self, value: Any) -> Any:
        """A recorded value, with the address of this endpoint."""
        if isinstance(value, dict):
            return {name: self.with_our_address(part) for name, part in value.items()}
        if not isinstance(value, str):
            return value
        ours = self.endpoint.url
        return value.replace(RECORDED, ours).replace(quote(RECORDED, safe=""), quote(ours, safe=""))

    def received(self, requests: list[dict[str, Any]]) -> list[ReceivedRequest]:
        """The recorded requests, with this endpoint's address."""
        return [self._with_our_host(request) for request in requests]

    def _with_our_host(self, request: dict[str, Any]) -> ReceivedRequest:
        body = self.with_our_address(request["raw_body"])
        changed = {"Content-Length": str(len(body)), "Host": self.endpoint.url.removeprefix("http://")}
        headers = tuple((name, changed.get(name, value)) for name, value in request["headers"].items())
        return ReceivedRequest(request["method"], request["path"], headers, body)

    def claim(self, value: dict[str, Any]) -> TestResponse:
        """Create a connection with this value."""
        piece = "oauth-tenant" if value.get("props") else "oauth"
        return Client(self.server.app).post(
            "/api/v1/app-connections",
            headers={"Authorization": f"Bearer {self.server.api_key}"},
            json={
                "externalId": "acme",
                "displayName": "acme",
                "pieceName": f"@activepieces/piece-acme-{piece}",
                "projectId": self.server.project_id,
                "type": value["type"],
                "value": value,
            },
        )

    def plant(self, value: dict[str, Any], *, status: str) -> None:
        """Store a connection with this value, without exchanging a code."""
        store = self.server.state.store
        platform = store.get("platform", self.server.platform_id)
        assert platform is not None
        store.add(
            KIND,
            {
                "externalId": "acme",
                "displayName": "acme",
                "type": value["type"],
                "status": status,
                "platformId": self.server.platform_id,
                "pieceName": "@activepieces/piece-acme-oauth",
                "pieceVersion": "0.1.0",
                "ownerId": platform["ownerId"],
                "projectIds": [self.server.project_id],
                "scope": "PROJECT",
                "metadata": None,
                "preSelectForNewProjects": False,
                "sealed": store.encrypt(value),
            },
        )

    def read(self) -> TestResponse:
        """The engine reads the connection."""
        return Client(self.server.app).get(
            "/api/v1/worker/app-connections/acme", headers={"Authorization": f"Bearer {self.server.engine_token()}"}
        )

    @property
    def stored(self) -> tuple[dict[str, Any], str]:
        """Value and status of the connection."""
        row = self.server.state.store.first(KIND, externalId="acme")
        assert row is not None
        return value_of(self.server.state, row), row["status"]


@pytest.fixture
def scene() -> Iterator[TokenRequestReplay]:
    clock = StoppedClock()
    with (
        token_endpoint() as endpoint,
        closing(
            ActivepiecesServer(clock=clock, sleep=lambda seconds: None, pieces=acme_pieces(endpoint.url))
        ) as server,
    ):
        server.state.store.add(
            "oauth_app",
            {
                "platformId": server.platform_id,
                "pieceName": "@activepieces/piece-acme-oauth",
                "clientId": "plat-cid",
                "clientSecret": server.state.store.encrypt("plat-sec"),
            },
        )
        yield TokenRequestReplay(server, endpoint, clock)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_code_is_exchanged_as_recorded(scene: TokenRequestReplay, name: str) -> None:
    case = CLAIMS[name]
    stored = scene.with_our_address(case.get("stored_value"))
    scene.endpoint.reply_with(*ANSWERS.get(name, []), *good_answer(case))
    if stored is not None:
        scene.clock.now = stored["claimed_at"]

    answer = scene.claim(scene.with_our_address(requested_value(case)))

    assert scene.endpoint.received == scene.received(case["token_requests_received"])
    assert answer.status_code == case.get("api_response", {}).get("status", 201)
    if stored is not None:
        assert scene.stored == (stored, "ACTIVE")
    elif answer.status_code != 201:
        assert answer.get_json() == scene.with_our_address(case["api_response"]["body"])


@pytest.mark.parametrize("name", READS)
def test_a_token_is_renewed_as_recorded(scene: TokenRequestReplay, name: str) -> None:
    case = READS[name]
    after = scene.with_our_address(case.get("stored_value") or a_stored_value())
    broken = "ERROR connection" in name
    succeeds = name not in ANSWERS and bool(case["token_requests_received"])
    scene.clock.now = after["claimed_at"] + (0 if succeeds else _AN_HOUR_AND_MORE)
    before = value_before(case, after)
    scene.plant(before, status="ERROR" if broken else "ACTIVE")
    scene.endpoint.reply_with(*ANSWERS.get(name, []), *good_answer(case))

    answer = scene.read()

    assert scene.endpoint.received == scene.received(case["token_requests_received"])
    if "stored_value" in case:
        assert scene.stored == (after, case["status_after"])
        assert answer.get_json()["value"] == scene.with_our_address(case["engine_response"]["body"]["value"])
        assert answer.get_json().keys() == case["engine_response"]["body"].keys()


def test_retries_are_two_seconds_apart(scene: TokenRequestReplay) -> None:
    """A real server took six seconds for four attempts."""
    slept: list[float] = []
    scene.server.state.sleep = slept.append
    scene.endpoint.reply_with(*[_BROKEN] * 4)

    scene.claim(requested_value({}))

    assert slept == [2.0, 2.0, 2.0]


def test_the_answer_of_the_api_has_the_recorded_fields(scene: TokenRequestReplay) -> None:
    case = CLAIMS["OAUTH2 minimal answer {access_token}"]
    scene.endpoint.reply_with(*good_answer(case))

    answer = scene.claim(requested_value(case))

    recorded = case["api_response"]["body"]
    assert answer.get_json().keys() == recorded.keys()
    same = ("type", "status", "scope", "metadata", "pieceVersion")
    assert not list(differences({n: recorded[n] for n in same}, {n: answer.get_json()[n] for n in same}))


def good_answer(case: Case) -> list[Reply]:
    """The successful response of the endpoint, stored completely in ``data``."""
    data = case.get("stored_value", {}).get("data")
    return [Reply(text=data) if isinstance(data, str) else Reply(data)] if data else []


def requested_value(case: Case) -> dict[str, Any]:
    """The sent value, reconstructed from the stored one."""
    stored = case.get("stored_value", {})
    value = {
        "type": "OAUTH2",
        "client_id": "cid",
        "client_secret": stored.get("client_secret", "csec"),
        "code": stored.get("code", "the-code"),
        "redirect_url": "http://127.0.0.1:3000/redirect",
        "scope": stored.get("scope", "read write"),
    }
    for name in ("code_challenge", "props"):
        if name in stored:
            value[name] = stored[name]
    if stored.get("grant_type") == "client_credentials":
        value["grant_type"] = "client_credentials"
    if stored.get("authorization_method") == "HEADER":
        value["authorization_method"] = "HEADER"
    special = SPECIAL_VALUES.get(case.get("case", ""), {})
    return {name: part for name, part in (value | special).items()}


def a_stored_value() -> dict[str, Any]:
    """The stored value of a typical connection."""
    value: dict[str, Any] = CASES["refresh BODY"]["stored_value"]
    return value


def value_before(case: Case, after: dict[str, Any]) -> dict[str, Any]:
    """The stored value before a read, with tokens more than an hour old."""
    received = case["token_requests_received"]
    if case["case"] in ANSWERS or not received:
        return {**after, **BEFORE_READS.get(case["case"], {})}
    old = {
        "access_token": "old",
        "refresh_token": received[0]["form"]["refresh_token"],
        "claimed_at": after["claimed_at"] - _AN_HOUR_AND_MORE,
    }
    before = {**after, **old, **BEFORE_READS.get(case["case"], {})}
    return {name: part for name, part in before.items() if part is not None}
