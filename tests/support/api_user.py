"""A user of the app's JSON API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from flask_activepieces.testing import StandinPiece

from .actors import Person, answer_of

API = "/api/integration/activepieces"
#: A piece that accepts a secret if it begins with ``ok-``; see `acme`.
PIECE = "@activepieces/piece-acme-secret"


#: The app's own piece. It gets the app's address from ``base_url``.
OWN_PIECE = StandinPiece(
    "@acme/piece-small-host",
    display_name="Small host",
    auth={
        "type": "OAUTH2",
        "displayName": "Small host",
        "required": True,
        "authUrl": "{base_url}/oauth/authorize",
        "tokenUrl": "{base_url}/oauth/token",
        "scope": ["profile:read", "tasks:read"],
        "pkce": True,
        "props": {"base_url": {"displayName": "URL", "required": True, "type": "SHORT_TEXT"}},
    },
)


@dataclass
class ApiUser:
    """A person who calls the JSON API."""

    person: Person
    #: The app's base URL; a live one if Activepieces must reach the app.
    site: str = "http://localhost"

    @classmethod
    def named(cls, app: Flask, name: str | None = None) -> ApiUser:
        """A signed-in user of the small host, or a signed-out one."""
        return cls(Person(app, name))

    def calls(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> TestResponse:
        """Call the API; the path is relative to its prefix."""
        return self.person.browser.open(API + path, method=method, json=body, query_string=query, base_url=self.site)

    def gets(self, path: str, **query: Any) -> TestResponse:
        return self.calls("GET", path, **query)

    def posts(self, path: str, body: Mapping[str, Any] | None = None) -> TestResponse:
        return self.calls("POST", path, body)

    def patches(self, path: str, body: Mapping[str, Any]) -> TestResponse:
        return self.calls("PATCH", path, body)

    def deletes(self, path: str, **query: Any) -> TestResponse:
        return self.calls("DELETE", path, **query)

    def links(self, **setup: Any) -> str:
        """Create an integration with this setup; return its id."""
        made = answer_of(self.posts("/setup", setup), 201)
        return str(made["integrationTenantId"])

    def saves(self, name: str = "Mine", value: str = "ok-mine", **more: Any) -> dict[str, Any]:
        """Save a connection of the piece that takes a secret."""
        body = {"accessToken": value, "connectionName": name, "pieceName": PIECE} | more
        return answer_of(self.posts("/connection", body), 201)
