"""The actors of these tests: a person with a browser, and a program with an OAuth client."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from example_app.seed import DEMO_PASSWORD
from tests.support.pages import Form, Page

CALLBACK = "https://program.test/callback"
ALL_SCOPES = "profile:read tasks:read tasks:write"


class Person:
    """A person with a browser; signed out without an e-mail address."""

    def __init__(self, app: Flask, email: str = "") -> None:
        self.browser = app.test_client()
        if email:
            assert self.sign_in(email).status_code == 302

    def sign_in(self, email: str, password: str = DEMO_PASSWORD, **more: str) -> TestResponse:
        return self.browser.post("/login", data={"email": email, "password": password, **more})

    def get_page(self, url: str) -> Page:
        return Page(self.browser.get(url, follow_redirects=True))

    def submit(self, form: Form, **changes: Any) -> TestResponse:
        return self.browser.post(form.action, data=form.values | changes)


@dataclass
class Program:
    """An OAuth client, and its token after consent."""

    app: Flask
    client_id: str
    client_secret: str
    token: dict[str, Any] = field(default_factory=dict)
    redirect_uri: str = CALLBACK
    _code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @classmethod
    def register(cls, app: Flask, *options: str, redirect_uri: str = CALLBACK) -> Program:
        """Register a client on the command line, as the README shows."""
        command = ["activepieces", "client", "create", "--yes", "--name", "Test program"]
        command += ["--redirect-uri", redirect_uri, "--scope", ALL_SCOPES, "--json", *options]
        result = app.test_cli_runner().invoke(args=command)
        assert result.exit_code == 0, result.output
        client = json.loads(result.output)
        return cls(app, client["client_id"], client["client_secret"], redirect_uri=redirect_uri)

    def authorize_url(self, scope: str = ALL_SCOPES, *, resource: str | None = None) -> str:
        """The URL to which the program redirects a person."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": "a state",
            "code_challenge": s256(self._code_verifier),
            "code_challenge_method": "S256",
        }
        if resource is not None:
            parameters["resource"] = resource
        return f"/oauth/authorize?{urlencode(parameters)}"

    def connect(
        self, person: Person, *, requested_scope: str = ALL_SCOPES, resource: str | None = None, **choices: Any
    ) -> Program:
        """Let a person approve the request, and exchange the code for a token."""
        consent = person.get_page(self.authorize_url(requested_scope, resource=resource)).form("decision")
        response = person.submit(consent, decision="approve", **choices)
        assert response.status_code in (302, 303), response.text
        code = parse_qs(urlsplit(response.location).query)["code"][0]
        self.token = self.get_token(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.redirect_uri,
            code_verifier=self._code_verifier,
        )
        return self

    def get_token(self, **form: str) -> dict[str, Any]:
        """The response of a successful token request."""
        response = self.request_token(**form)
        assert response.status_code == 200, response.text
        token: dict[str, Any] = response.json or {}
        return token

    def request_token(self, **form: str) -> TestResponse:
        """Send a token request with the client's secret."""
        credentials = {"client_id": self.client_id, "client_secret": self.client_secret}
        return self.app.test_client().post("/oauth/token", data=form | credentials)

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """Call the API with the token."""
        headers = {"Authorization": f"Bearer {self.token['access_token']}"}
        return self.app.test_client().open(path, method=method, headers=headers, **options)

    def task_titles(self) -> list[str]:
        """The titles of all tasks in the API's response."""
        response = self.call("GET", "/api/tasks")
        assert response.json
        return [task["title"] for task in response.json["tasks"]]


def s256(verifier: str) -> str:
    """RFC 7636 §4.2."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
