"""The measured operations, each a stream of requests, and the factory of their codes and tokens."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlencode

from flask import Flask

from flask_activepieces.oauth.clients.registration import Registration
from flask_activepieces.state import get_state

from . import host
from .client import Request, RequestStream

CALLBACK = "https://program.example/callback"
FORM = "application/x-www-form-urlencoded"
VERIFIER = "a-fixed-verifier-for-benchmarks-that-is-not-a-secret"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = " ".join(host.SCOPES)


class TokenFactory:
    """Issues the codes and tokens that the operations consume, in the servers' database."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        with app.app_context():
            self._state = get_state()
            registration = Registration(name="Bench", redirect_uris=[CALLBACK], scope=SCOPE)
            oauth_client, secret = self._state.oauth_clients.register(registration)
            self._grant = self._state.grants.approve(oauth_client, host.USER, host.WORKSPACE, list(host.SCOPES))
        self.credentials = {"client_id": oauth_client.client_id, "client_secret": str(secret)}

    def code(self, resource: str = "api") -> str:
        """An unredeemed code for this resource of the app."""
        return self._state.code_issuer.issue(
            self._grant,
            list(host.SCOPES),
            issuer=host.PUBLIC_URL,
            redirect_uri=CALLBACK,
            code_challenge=CHALLENGE,
            resource=resource,
        )

    def exchange(self, code: str) -> Request:
        """The token request for a code."""
        return _form_request(
            "/oauth/token",
            self.credentials,
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
        )

    def pair(self, resource: str = "api") -> dict[str, str]:
        """The access token and the refresh token of a new token family."""
        request = self.exchange(self.code(resource))
        response = self._app.test_client().post(request.path, data=request.body, content_type=FORM)
        assert response.status_code == 200, response.text
        return dict(response.json or {})


def exchange_codes(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 6749 §4.1.3, with PKCE and the secret in the form."""
    codes = [token_factory.code() for _ in range(count)]
    for code in codes:
        yield token_factory.exchange(code)


def refresh(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 6749 §6: each request uses the refresh token of the previous response."""
    tokens = token_factory.pair()
    for _ in range(count):
        response = yield _form_request(
            "/oauth/token",
            token_factory.credentials,
            grant_type="refresh_token",
            refresh_token=tokens["refresh_token"],
        )
        tokens = json.loads(response)


def call_protected_view(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 6750 §2.1, with the same access token in each request."""
    tokens = token_factory.pair()
    bearer = ("Authorization", f"Bearer {tokens['access_token']}")
    for _ in range(count):
        yield Request("GET", host.PROTECTED, (bearer,))


def call_empty_tool(token_factory: TokenFactory, count: int) -> RequestStream:
    """``tools/call`` of a function that does nothing, as a client with a handshake sends it."""
    token = token_factory.pair("mcp")["access_token"]
    headers = (
        ("Authorization", f"Bearer {token}"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2025-11-25"),
    )
    call = {"name": host.EMPTY_TOOL, "arguments": {}}
    for number in range(count):
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call}
        yield Request("POST", "/mcp", headers, json.dumps(message).encode())


def introspect(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 7662, with an access token."""
    tokens = token_factory.pair()
    for _ in range(count):
        yield _form_request("/oauth/introspect", token_factory.credentials, token=tokens["access_token"])


def revoke(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 7009, with a refresh token."""
    pairs = [token_factory.pair() for _ in range(count)]
    for tokens in pairs:
        yield _form_request("/oauth/revoke", token_factory.credentials, token=tokens["refresh_token"])


def open_consent_page(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 6749 §4.1.1, up to the consent page."""
    parameters = {
        "response_type": "code",
        "client_id": token_factory.credentials["client_id"],
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "state": "a-state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "prompt": "consent",
    }
    for _ in range(count):
        yield Request("GET", f"/oauth/authorize?{urlencode(parameters)}")


def _form_request(path: str, credentials: Mapping[str, str], **fields: str) -> Request:
    return Request("POST", path, (("Content-Type", FORM),), urlencode({**credentials, **fields}).encode())


@dataclass(frozen=True)
class Operation:
    """One row of the report."""

    title: str
    stream: Callable[[TokenFactory, int], RequestStream]
    #: The largest allowed multiple of the baseline, by database; empty without a target.
    targets: Mapping[str, float] = field(default_factory=dict)
    #: The title of the operation that this one is compared with, and the largest allowed multiple of it.
    compared_with: tuple[str, float] | None = None
    #: The maximum age of the revocation check's data, in seconds.
    max_staleness: int = 0


OPERATIONS = (
    Operation("code exchange", exchange_codes, {"PostgreSQL": 4.5, "SQLite": 3.2}),
    Operation("refresh", refresh, {"PostgreSQL": 4.5, "SQLite": 3.2}),
    Operation("protected view, strict", call_protected_view, {"PostgreSQL": 1.9, "SQLite": 1.9}),
    Operation(
        "protected view, 30 s bound", call_protected_view, {"PostgreSQL": 1.25, "SQLite": 1.25}, max_staleness=30
    ),
    Operation("tool call, strict", call_empty_tool, compared_with=("protected view, strict", 1.6)),
    Operation("introspect", introspect),
    Operation("revoke", revoke),
    Operation("consent page", open_consent_page),
)
