"""Agents: clients that no one registered. Each has a document at a site on loopback, which the app reads."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from .actors import CALLBACK, Parameters, Program
from .raw_server import RawServer, Received, raw_server

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: The settings of an app that accepts them.
ACCEPTING: dict[str, Any] = {
    "ACTIVEPIECES_MCP": True,
    "ACTIVEPIECES_CLIENT_DOCUMENTS": True,
    "ACTIVEPIECES_CLIENT_DOCUMENTS_ON_LOOPBACK": True,
}


@dataclass
class Site:
    """Documents by their paths, and what was requested."""

    server: RawServer
    documents: dict[str, Any] = field(default_factory=dict)
    #: Headers of all responses.
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    kind: str = "application/json"

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def fetched(self) -> list[str]:
        """The paths that were requested."""
        return [each.target for each in self.server.received]

    def publish(self, path: str = "/client.json", **claims: Any) -> str:
        """Publish a document; returns its URL. ``...`` leaves a claim out."""
        url = f"{self.url}{path}"
        document = {"client_id": url, "client_name": "Robin", "redirect_uris": [CALLBACK]} | claims
        self.documents[path] = {name: value for name, value in document.items() if value is not ...}
        return url

    def answer(self, received: Received) -> None:
        document = self.documents.get(received.target)
        status = self.status if document is not None else 404
        received.answer(status, document, kind=self.kind, **self.headers)


@contextmanager
def site() -> Iterator[Site]:
    """A site while the block runs."""
    sites: list[Site] = []
    with raw_server(lambda received: sites[0].answer(received)) as server:
        sites.append(Site(server))
        yield sites[0]


def agent(app: Flask, site: Site, path: str = "/client.json", **claims: Any) -> Program:
    """A public client with a new document."""
    url = site.publish(path, **claims)
    redirect_uri = claims.get("redirect_uris", [CALLBACK])[0]
    return Program(app, url, None, redirect_uri)


@dataclass
class KeyAgent(Program):
    """A client that authenticates with a private key."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "first"}))
    now: float = field(default_factory=time.time)

    def assertion(self, *, key: ECKey | None = None, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A signed assertion; ``...`` leaves a claim out."""
        key = key or self.key
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": "http://localhost",
            "exp": int(self.now) + 60,
            "iat": int(self.now),
            "jti": secrets.token_hex(8),
        } | changes
        given = {name: value for name, value in claims.items() if value is not ...}
        return jwt.encode({"alg": "ES256", "kid": key.kid, **(header or {})}, given, key)

    def posts(self, path: str, form: Parameters, **options: Any) -> TestResponse:
        """Send a request with a new assertion, unless the form has one."""
        signed: Parameters = {"client_assertion_type": ASSERTION_TYPE}
        if "client_assertion" not in form:
            signed["client_assertion"] = self.assertion()
        return super().posts(path, signed | form, **options)


def key_agent(app: Flask, site: Site, path: str = "/client.json", *, now: float, **claims: Any) -> KeyAgent:
    """A client whose document contains its public key."""
    key = ECKey.generate_key("P-256", {"kid": "first"})
    claims = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(key)} | claims
    url = site.publish(path, **claims)
    return KeyAgent(app, url, None, CALLBACK, key=key, now=now)


def jwks(*keys: ECKey) -> dict[str, Any]:
    """The public keys as a JWK set."""
    parsed: dict[str, Any] = json.loads(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}))
    return parsed
