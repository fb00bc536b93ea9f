"""The token requests of Activepieces, byte for byte in its own order of headers and fields.

Activepieces (axios under Node) sends the client in the form ("BODY") or as Basic without form-encoding
("HEADER"), no scope with a code or a refresh, and with client credentials every property that the connection's
form has. It repeats a request after a 5xx, with the same code.
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
OWN = "grant_type=client_credentials&scope={scope}&base_url={base_url}"
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
        self.place = urlsplit(site).netloc
        self.program = program
        self.values = {
            "client_id": program.client_id,
            "client_secret": program.client_secret or "",
            "redirect_uri": program.redirect_uri,
            "base_url": site,
        }

    def sends(self, shape: str, *, by_header: bool = False, **values: str) -> Answer:
        escaped = {name: quote_plus(value) for name, value in (self.values | values).items()}
        body = shape.format(**escaped).encode()
        connection = HTTPConnection(self.place, timeout=5)
        connection.putrequest("POST", "/oauth/token", skip_host=True, skip_accept_encoding=True)
        for name, value in self._headers(len(body), by_header):
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.headers), json.loads(response.read()))
        connection.close()
        return answer

    def _headers(self, length: int, by_header: bool) -> list[tuple[str, str]]:
        raw = f"{self.values['client_id']}:{self.values['client_secret']}".encode()
        proof = ("authorization", f"Basic {b64encode(raw).decode()}")
        return [
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            *([proof] if by_header else []),
            ("User-Agent", "axios/1.15.2"),
            ("Content-Length", str(length)),
            ("Accept-Encoding", "gzip, compress, deflate, br"),
            ("Host", self.place),
            ("Connection", "keep-alive"),
        ]


def connected(app: Flask, visitor: Visitor, *options: str) -> tuple[Activepieces, str]:
    """Activepieces with its client, and the code that the visitor's browser brought it."""
    program = Program.registered(app, *options)
    return Activepieces(visitor.site, program), visitor.brings_code(program.question())


EXCHANGES = [
    ("BODY with PKCE", CODE + VERIFIER + BODY, False),
    ("HEADER with PKCE", CODE + VERIFIER, True),
]
EXCHANGES_WITHOUT_PKCE = [("BODY", CODE + BODY, False), ("HEADER", CODE, True)]
REFRESHES = [
    ("BODY", REFRESH + BODY, False),
    ("HEADER", REFRESH, True),
    ("BODY with redirect_uri", REFRESH + "&redirect_uri={redirect_uri}" + BODY, False),
]


@pytest.mark.parametrize(("name", "shape", "by_header"), EXCHANGES)
def test_a_code_exchange(
    app: Flask, visitor: Visitor, name: str, shape: str, by_header: bool
) -> None:
    activepieces, code = connected(app, visitor)
    verifier = activepieces.program.verifier

    answer = activepieces.sends(shape, by_header=by_header, code=code, code_verifier=verifier)

    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    # What Activepieces computes with must be a number, and more than the 900 s that it refreshes ahead.
    assert type(answer.body["expires_in"]) is int
    assert answer.body["expires_in"] > 900
    assert answer.body["refresh_token"]


@pytest.mark.parametrize(("name", "shape", "by_header"), EXCHANGES_WITHOUT_PKCE)
def test_a_code_exchange_of_a_piece_that_has_no_pkce(
    app: Flask, visitor: Visitor, name: str, shape: str, by_header: bool
) -> None:
    program = Program.registered(app, "--no-pkce")
    question = program.question(code_challenge=None, code_challenge_method=None)
    activepieces = Activepieces(visitor.site, program)

    answer = activepieces.sends(shape, by_header=by_header, code=visitor.brings_code(question))

    assert answer.status == 200, answer.body


@pytest.mark.parametrize(("name", "shape", "by_header"), REFRESHES)
def test_a_refresh(app: Flask, visitor: Visitor, name: str, shape: str, by_header: bool) -> None:
    activepieces, code = connected(app, visitor)
    first = activepieces.sends(
        CODE + VERIFIER + BODY, code=code, code_verifier=activepieces.program.verifier
    )

    answer = activepieces.sends(
        shape, by_header=by_header, refresh_token=first.body["refresh_token"]
    )

    assert answer.status == 200, answer.body
    assert answer.body["refresh_token"] != first.body["refresh_token"]


@pytest.mark.parametrize(
    ("shape", "by_header"), [(OWN + "&audience=anything", True), (OWN + BODY, False)]
)
def test_client_credentials_with_the_properties_of_the_connections_form(
    app: Flask, site: str, shape: str, by_header: bool
) -> None:
    program = Program.registered(app, "--client-credentials", "--tenant", "acme")

    answer = Activepieces(site, program).sends(shape, by_header=by_header, scope="tasks:read")

    assert answer.status == 200, answer.body
    assert answer.body["scope"] == "tasks:read"
    assert "refresh_token" not in answer.body


def test_an_error_description_says_what_to_do_for_it_is_all_that_people_are_shown(
    app: Flask, visitor: Visitor
) -> None:
    activepieces, _ = connected(app, visitor)

    answer = activepieces.sends(CODE + BODY, code="4/0Ab+c=d%2F&x y")

    assert answer.status == 400
    assert answer.body == {
        "error": "invalid_grant",
        "error_description": "The code is not valid for this client.",
    }


def test_an_exchange_repeated_after_a_fault_of_ours_succeeds(app: Flask, visitor: Visitor) -> None:
    """Activepieces repeats a request after a 5xx: that answer must have spent nothing."""
    activepieces, code = connected(app, visitor)
    shape, verifier = CODE + VERIFIER + BODY, activepieces.program.verifier

    with database_away(app):
        first = activepieces.sends(shape, code=code, code_verifier=verifier)
    second = activepieces.sends(shape, code=code, code_verifier=verifier)

    assert (first.status, second.status) == (503, 200)
    assert first.headers["Retry-After"] == "5"


def test_a_refresh_while_the_database_is_away_leaves_the_connection_alive(
    app: Flask, visitor: Visitor
) -> None:
    """On invalid_grant Activepieces gives a connection up for good, so that word must not fall here."""
    activepieces, code = connected(app, visitor)
    bought = activepieces.sends(
        CODE + VERIFIER + BODY, code=code, code_verifier=activepieces.program.verifier
    )
    token = bought.body["refresh_token"]

    with database_away(app):
        first = activepieces.sends(REFRESH + BODY, refresh_token=token)
    second = activepieces.sends(REFRESH + BODY, refresh_token=token)

    assert (first.status, first.body["error"]) == (503, "temporarily_unavailable")
    assert second.status == 200
