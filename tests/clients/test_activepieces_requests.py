"""The token requests of Activepieces, with its exact order of headers and fields.

Activepieces (axios under Node) sends the client in the form ("BODY") or as Basic without form-encoding
("HEADER"). It sends no scope with a code or a refresh, and with client credentials every property of the
connection's form. It repeats a request after a 5xx, with the same code.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest
from flask import Flask

from tests.support.actors import Program
from tests.support.live import Visitor
from tests.support.storage import database_away

CODE = "grant_type=authorization_code&redirect_uri={redirect_uri}&code={code}"
REFRESH = "grant_type=refresh_token&refresh_token={refresh_token}"
CLIENT_CREDENTIALS = "grant_type=client_credentials&scope={scope}&base_url={base_url}"
BODY = "&client_id={client_id}&client_secret={client_secret}"
VERIFIER = "&code_verifier={code_verifier}"


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


class Activepieces:
    """Sends a form as axios does."""

    def __init__(self, site: str, program: Program) -> None:
        self.netloc = urlsplit(site).netloc
        self.program = program
        self.values = {
            "client_id": program.client_id,
            "client_secret": program.client_secret or "",
            "redirect_uri": program.redirect_uri,
            "base_url": site,
        }

    def send(self, shape: str, *, by_header: bool = False, **values: str) -> Answer:
        escaped = {name: quote_plus(value) for name, value in (self.values | values).items()}
        body = shape.format(**escaped).encode()
        http = HTTPConnection(self.netloc, timeout=5)
        http.putrequest("POST", "/oauth/token", skip_host=True, skip_accept_encoding=True)
        for name, value in self._headers(len(body), by_header):
            http.putheader(name, value)
        http.endheaders(body)
        response = http.getresponse()
        answer = Answer(response.status, dict(response.headers), json.loads(response.read()))
        http.close()
        return answer

    def _headers(self, length: int, by_header: bool) -> list[tuple[str, str]]:
        raw = f"{self.values['client_id']}:{self.values['client_secret']}".encode()
        authorization = ("authorization", f"Basic {b64encode(raw).decode()}")
        return [
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            *([authorization] if by_header else []),
            ("User-Agent", "axios/1.15.2"),
            ("Content-Length", str(length)),
            ("Accept-Encoding", "gzip, compress, deflate, br"),
            ("Host", self.netloc),
            ("Connection", "keep-alive"),
        ]


def connect(app: Flask, visitor: Visitor, *options: str) -> tuple[Activepieces, str]:
    """Activepieces with a registered client, and a code that the visitor approved."""
    program = Program.registered(app, *options)
    return Activepieces(visitor.site, program), visitor.brings_code(program.question())


EXCHANGES = [("BODY with PKCE", CODE + VERIFIER + BODY, False), ("HEADER with PKCE", CODE + VERIFIER, True)]
EXCHANGES_WITHOUT_PKCE = [("BODY", CODE + BODY, False), ("HEADER", CODE, True)]
REFRESHES = [
    ("BODY", REFRESH + BODY, False),
    ("HEADER", REFRESH, True),
    ("BODY with redirect_uri", REFRESH + "&redirect_uri={redirect_uri}" + BODY, False),
]


@pytest.mark.parametrize(("name", "shape", "by_header"), EXCHANGES)
def test_a_code_exchange(app: Flask, visitor: Visitor, name: str, shape: str, by_header: bool) -> None:
    activepieces, code = connect(app, visitor)
    verifier = activepieces.program.verifier

    answer = activepieces.send(shape, by_header=by_header, code=code, code_verifier=verifier)

    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    # Activepieces needs a number, and more than the 900 s before expiry at which it refreshes.
    assert type(answer.body["expires_in"]) is int
    assert answer.body["expires_in"] > 900
    assert answer.body["refresh_token"]


@pytest.mark.parametrize(("name", "shape", "by_header"), EXCHANGES_WITHOUT_PKCE)
def test_a_code_exchange_without_pkce(app: Flask, visitor: Visitor, name: str, shape: str, by_header: bool) -> None:
    program = Program.registered(app, "--no-pkce")
    question = program.question(code_challenge=None, code_challenge_method=None)
    activepieces = Activepieces(visitor.site, program)

    answer = activepieces.send(shape, by_header=by_header, code=visitor.brings_code(question))

    assert answer.status == 200, answer.body


@pytest.mark.parametrize(("name", "shape", "by_header"), REFRESHES)
def test_a_refresh(app: Flask, visitor: Visitor, name: str, shape: str, by_header: bool) -> None:
    activepieces, code = connect(app, visitor)
    first = activepieces.send(CODE + VERIFIER + BODY, code=code, code_verifier=activepieces.program.verifier)

    answer = activepieces.send(shape, by_header=by_header, refresh_token=first.body["refresh_token"])

    assert answer.status == 200, answer.body
    assert answer.body["refresh_token"] != first.body["refresh_token"]


@pytest.mark.parametrize(
    ("shape", "by_header"), [(CLIENT_CREDENTIALS + "&audience=anything", True), (CLIENT_CREDENTIALS + BODY, False)]
)
def test_client_credentials_with_extra_form_properties(app: Flask, site: str, shape: str, by_header: bool) -> None:
    program = Program.registered(app, "--client-credentials", "--tenant", "acme")

    answer = Activepieces(site, program).send(shape, by_header=by_header, scope="tasks:read")

    assert answer.status == 200, answer.body
    assert answer.body["scope"] == "tasks:read"
    assert "refresh_token" not in answer.body


def test_the_error_description_is_readable_for_users(app: Flask, visitor: Visitor) -> None:
    activepieces, _ = connect(app, visitor)

    answer = activepieces.send(CODE + BODY, code="4/0Ab+c=d%2F&x y")

    assert answer.status == 400
    assert answer.body == {"error": "invalid_grant", "error_description": "The code is not valid for this client."}


def test_an_exchange_repeated_after_a_server_error_succeeds(app: Flask, visitor: Visitor) -> None:
    """Activepieces repeats a request after a 5xx, so the failed request must not spend the code."""
    activepieces, code = connect(app, visitor)
    shape, verifier = CODE + VERIFIER + BODY, activepieces.program.verifier

    with database_away(app):
        first = activepieces.send(shape, code=code, code_verifier=verifier)
    second = activepieces.send(shape, code=code, code_verifier=verifier)

    assert (first.status, second.status) == (503, 200)
    assert first.headers["Retry-After"] == "5"


def test_a_refresh_during_a_database_outage_keeps_the_connection_alive(app: Flask, visitor: Visitor) -> None:
    """On invalid_grant Activepieces marks a connection as permanently broken, so this must not return it."""
    activepieces, code = connect(app, visitor)
    tokens = activepieces.send(CODE + VERIFIER + BODY, code=code, code_verifier=activepieces.program.verifier)
    token = tokens.body["refresh_token"]

    with database_away(app):
        first = activepieces.send(REFRESH + BODY, refresh_token=token)
    second = activepieces.send(REFRESH + BODY, refresh_token=token)

    assert (first.status, first.body["error"]) == (503, "temporarily_unavailable")
    assert second.status == 200
