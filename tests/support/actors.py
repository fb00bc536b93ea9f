"""The actors of flow tests, over HTTP only: a person with a browser, and a program with an OAuth client."""

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

from .hosts import ALL_SCOPES
from .pages import Form, Page

CALLBACK = "https://program.test/callback"

Parameters = dict[str, str | None]


class Person:
    """A browser, signed in as a user of the small host or signed out."""

    def __init__(self, app: Flask, name: str | None = None) -> None:
        self.browser = app.test_client()
        if name is not None:
            self.sign_in(name)

    def sign_in(self, name: str, **more: str) -> TestResponse:
        return self.browser.get("/login", query_string={"as": name, **more})

    def opens(self, url: str) -> TestResponse:
        return self.browser.get(url)

    def sees(self, url: str) -> Page:
        """The page after all redirects."""
        return Page(self.browser.get(url, follow_redirects=True))

    def sends(self, form: Form, **changes: Any) -> TestResponse:
        return self.browser.post(form.action, data=form.values | changes)

    def answers(self, question: str, decision: str = "approve", **choices: Any) -> dict[str, str]:
        """Answer the consent page; return the parameters of the redirect to the program."""
        answer = self.sends(self.sees(question).form("decision"), decision=decision, **choices)
        assert answer.status_code == 303, answer.text
        return brought_back(answer)

    def allows(self, question: str, **choices: Any) -> str:
        """Approve the request; return the authorization code."""
        return self.answers(question, **choices)["code"]


@dataclass
class Program:
    """An OAuth client."""

    app: Flask
    client_id: str
    client_secret: str | None
    redirect_uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @classmethod
    def registered(cls, app: Flask, *options: str, scope: str = ALL_SCOPES, redirect_uri: str = CALLBACK) -> Program:
        """A new client, created on the command line."""
        made = app.test_cli_runner().invoke(
            args=["activepieces", "client", "create", "--name", "Program", "--yes", "--json"]
            + ["--redirect-uri", redirect_uri, "--scope", scope, *options]
        )
        assert made.exit_code == 0, made.output
        client = json.loads(made.stdout)
        return cls(app, client["client_id"], client.get("client_secret"), redirect_uri)

    def question(self, **changes: str | None) -> str:
        """The authorization URL of the program; None removes a parameter."""
        parameters: Parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": ALL_SCOPES,
            "state": "a state",
            "code_challenge": s256(self.verifier),
            "code_challenge_method": "S256",
        }
        parameters |= changes
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"/oauth/authorize?{urlencode(given)}"

    def posts(self, path: str, form: Parameters, **options: Any) -> TestResponse:
        """Send a request with the client's credentials; None removes a parameter."""
        credentials = {"client_id": self.client_id, "client_secret": self.client_secret}
        given = {name: value for name, value in (credentials | form).items() if value is not None}
        return self.app.test_client().post(path, data=given, **options)

    def redeems(self, code: str, **changes: str | None) -> TestResponse:
        form: Parameters = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return self.posts("/oauth/token", form | changes)

    def refreshes(self, token: str, **changes: str | None) -> TestResponse:
        form: Parameters = {"grant_type": "refresh_token", "refresh_token": token}
        return self.posts("/oauth/token", form | changes)

    def revokes(self, token: str, **changes: str | None) -> TestResponse:
        form: Parameters = {"token": token}
        return self.posts("/oauth/revoke", form | changes)

    def introspects(self, token: str, **changes: str | None) -> TestResponse:
        form: Parameters = {"token": token}
        return self.posts("/oauth/introspect", form | changes)

    def connects(self, person: Person, **choices: Any) -> dict[str, Any]:
        """Let a person approve the request; return the tokens."""
        return answer_of(self.redeems(person.allows(self.question(), **choices)))

    def calls(self, access_token: str, path: str = "/api/whoami", method: str = "GET") -> TestResponse:
        """Send an API request with an access token."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.app.test_client().open(path, method=method, headers=headers)


def answer_of(response: TestResponse, status: int = 200) -> dict[str, Any]:
    """The JSON object in a response, which must have this status."""
    assert response.status_code == status, response.text
    body = response.get_json()
    assert isinstance(body, dict)
    return body


def brought_back(response: TestResponse) -> dict[str, str]:
    """The query parameters of a redirect, each of which must occur once."""
    parameters = parse_qs(urlsplit(response.location).query, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values())
    return {name: values[0] for name, values in parameters.items()}


def s256(verifier: str) -> str:
    """The code challenge for a verifier (RFC 7636 §4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
