"""The measured operations, each a stream of requests, and the factory that prepares their codes and tokens."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlencode

from flask import Flask

from flask_activepieces.oauth.authorization import codes
from flask_activepieces.oauth.authorization.codes import AuthorizationCode
from flask_activepieces.oauth.clients.registration import Registration
from flask_activepieces.oauth.tokens.families import TokenFamilies
from flask_activepieces.oauth.tokens.grant_types import new_family
from flask_activepieces.oauth.tokens.issuer import TokenIssuer
from flask_activepieces.state import get_state
from flask_activepieces.web.oauth.token_endpoints import FORM

from . import host
from .client import Request, RequestStream

CALLBACK = "https://program.example/callback"
VERIFIER = "benchmarks-know-their-verifier-beforehand-so-it-is-no-secret"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = " ".join(host.SCOPES)


@dataclass
class TokenFactory:
    """Issues the codes and tokens that the operations consume, directly in the servers' database."""

    app: Flask
    proof: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        with self.app.app_context():
            self._state = state = get_state()
            registration = Registration(name="Bench", redirect_uris=[CALLBACK], scope=SCOPE)
            client, secret = state.oauth_clients.register(registration)
            self._grant = state.grants.approve(client, host.USER, host.WORKSPACE, list(host.SCOPES))
        self.proof = {"client_id": client.client_id, "client_secret": str(secret)}
        self._families = TokenFamilies(state.database, audit=state.audit)
        self._issuer = TokenIssuer.from_settings(state.settings)

    def code(self) -> str:
        """An unredeemed code."""
        return self._state.code_issuer.issue(
            self._grant,
            host.SCOPES,
            issuer=host.PUBLIC_URL,
            redirect_uri=CALLBACK,
            code_challenge=CHALLENGE,
        )

    def pairs(self, count: int) -> list[dict[str, str]]:
        """Access and refresh tokens of new token families."""
        return [self._pair(self._read(self.code())) for _ in range(count)]

    def _read(self, code: str) -> AuthorizationCode:
        now, keys = self._state.now(), self._state.settings.secret_keys
        client_id = self.proof["client_id"]
        read = codes.read_code(keys, code, client_id=client_id, issuer=host.PUBLIC_URL, now=now)
        assert read is not None
        return read

    def _pair(self, code: AuthorizationCode) -> dict[str, str]:
        now = self._state.now()
        family = new_family(code, now=now, lifetime=self._issuer.refresh_token_ttl)
        assert self._families.store_if_unredeemed(family)
        return self._issuer.issue_pair(family, scope=family.scope, issuer=host.PUBLIC_URL, now=now)


def exchange_codes(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 6749 §4.1.3, with PKCE and the secret in the form."""
    codes = [token_factory.code() for _ in range(count)]
    fixed = token_factory.proof | {"redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    for code in codes:
        yield _form("/oauth/token", fixed, grant_type="authorization_code", code=code)


def refresh(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 6749 §6: a chain of refreshes, each with the token from the previous response."""
    (tokens,) = token_factory.pairs(1)
    for _ in range(count):
        answer = yield _form(
            "/oauth/token",
            token_factory.proof,
            grant_type="refresh_token",
            refresh_token=tokens["refresh_token"],
        )
        tokens = json.loads(answer)


def call_protected_view(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 6750 §2.1."""
    (tokens,) = token_factory.pairs(1)
    bearer = ("Authorization", f"Bearer {tokens['access_token']}")
    for _ in range(count):
        yield Request("GET", host.PROTECTED, (bearer,))


def introspect(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 7662, with an access token."""
    (tokens,) = token_factory.pairs(1)
    for _ in range(count):
        yield _form("/oauth/introspect", token_factory.proof, token=tokens["access_token"])


def revoke(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 7009, with a refresh token."""
    for tokens in token_factory.pairs(count):
        yield _form("/oauth/revoke", token_factory.proof, token=tokens["refresh_token"])


def open_consent_page(token_factory: TokenFactory, count: int) -> RequestStream:
    """RFC 6749 §4.1.1, up to the consent page."""
    asked = {
        "response_type": "code",
        "client_id": token_factory.proof["client_id"],
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "state": "a-state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "prompt": "consent",
    }
    for _ in range(count):
        yield Request("GET", f"/oauth/authorize?{urlencode(asked)}")


def _form(path: str, fixed: Mapping[str, str], **more: str) -> Request:
    return Request("POST", path, (("Content-Type", FORM),), urlencode({**fixed, **more}).encode())


@dataclass(frozen=True)
class Operation:
    """One row of the report."""

    title: str
    stream: Callable[[TokenFactory, int], RequestStream]
    #: The largest allowed multiple of the baseline, by database; empty if there is no target.
    targets: Mapping[str, float] = field(default_factory=dict)
    #: Seconds by which the revocation check may lag behind.
    max_staleness: int = 0


OPERATIONS = (
    Operation("code exchange", exchange_codes, {"PostgreSQL": 4.5, "SQLite": 3.2}),
    Operation("refresh", refresh, {"PostgreSQL": 4.5, "SQLite": 3.2}),
    Operation("protected view, strict", call_protected_view, {"PostgreSQL": 1.9, "SQLite": 1.9}),
    Operation(
        "protected view, 30 s bound",
        call_protected_view,
        {"PostgreSQL": 1.25, "SQLite": 1.25},
        max_staleness=30,
    ),
    Operation("introspect", introspect),
    Operation("revoke", revoke),
    Operation("consent page", open_consent_page),
)
