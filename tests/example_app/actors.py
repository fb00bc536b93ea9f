"""Who acts in these tests: a person with a browser, and a program with an OAuth client."""

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
    """A browser, signed in as somebody or as nobody."""

    def __init__(self, app: Flask, email: str = "") -> None:
        self.browser = app.test_client()
        if email:
            assert self.sign_in(email).status_code == 302

    def sign_in(self, email: str, password: str = DEMO_PASSWORD, **more: str) -> TestResponse:
        return self.browser.post("/login", data={"email": email, "password": password, **more})

    def sees(self, url: str) -> Page:
        return Page(self.browser.get(url, follow_redirects=True))

    def sends(self, form: Form, **changes: Any) -> TestResponse:
        return self.browser.post(form.action, data=form.values | changes)


@dataclass
class Program:
    """An OAuth client and, once somebody has consented, its token."""

    app: Flask
    client_id: str
    client_secret: str
    token: dict[str, Any] = field(default_factory=dict)
    redirect_uri: str = CALLBACK
    _verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @classmethod
    def registered(cls, app: Flask, *options: str, redirect_uri: str = CALLBACK) -> Program:
        """A new client, made by the command line as the README says."""
        words = ["client", "create", "--yes", "--name", "Test program"]
        words += ["--redirect-uri", redirect_uri]
        made = app.test_cli_runner().invoke(
            args=["activepieces", *words, "--scope", ALL_SCOPES, "--json", *options]
        )
        assert made.exit_code == 0, made.output
        client = json.loads(made.output)
        return cls(app, client["client_id"], client["client_secret"], redirect_uri=redirect_uri)

    def question(self, scope: str = ALL_SCOPES) -> str:
        """The URL to which the program sends a person."""
        return "/oauth/authorize?" + urlencode(
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri,
                "scope": scope,
                "state": "a state",
                "code_challenge": s256(self._verifier),
                "code_challenge_method": "S256",
            }
        )

    def connect(self, person: Person, *, asks: str = ALL_SCOPES, **choices: Any) -> Program:
        """Let a person consent, and take the token."""
        consent = person.sees(self.question(asks)).form("decision")
        answer = person.sends(consent, decision="approve", **choices)
        assert answer.status_code in (302, 303), answer.text
        code = parse_qs(urlsplit(answer.location).query)["code"][0]
        self.token = self.take_token(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.redirect_uri,
            code_verifier=self._verifier,
        )
        return self

    def take_token(self, **form: str) -> dict[str, Any]:
        """The token that the server gives for this."""
        answer = self.ask_for_token(**form)
        assert answer.status_code == 200, answer.text
        token: dict[str, Any] = answer.json or {}
        return token

    def ask_for_token(self, **form: str) -> TestResponse:
        """The answer of the token endpoint to the proven client."""
        proof = {"client_id": self.client_id, "client_secret": self.client_secret}
        return self.app.test_client().post("/oauth/token", data=form | proof)

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """One API request with the token."""
        headers = {"Authorization": f"Bearer {self.token['access_token']}"}
        return self.app.test_client().open(path, method=method, headers=headers, **options)

    def titles(self) -> list[str]:
        """The titles of all tasks that the program sees."""
        answer = self.call("GET", "/api/tasks")
        assert answer.json
        return [task["title"] for task in answer.json["tasks"]]


def s256(verifier: str) -> str:
    """RFC 7636 §4.2."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
