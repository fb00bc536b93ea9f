"""Characters that some layer may not handle (NUL, invalid UTF-8, surrogates), in every input, on every database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support import hosts
from tests.support.actors import CALLBACK, Person, Program
from tests.support.clock import StoppedClock
from tests.support.databases import fresh_database
from tests.support.error_assertions import assert_error_page, assert_nothing_stored
from tests.support.hosts import ALL_SCOPES

FORM = "application/x-www-form-urlencoded"

#: Percent-encoded, as sent in a query or a form.
NASTY = [
    "%00",
    "a%00b",
    "%FF",
    "%C0%80",  # an overlong NUL
    "%ED%A0%80",  # a lone surrogate
    "%F0%9F%98%80",
    "%E2%80%AE",  # right-to-left override
    "%0D%0AX:%20y",
    "%",
    "%zz",
    "%27%22%5C%3B--",
]
#: The same characters as strings, as sent in JSON.
NASTY_STRINGS = ["\x00", "a\x00b", "\ud800", "a\udc00b", "\U0001f600\u202e", "\uffff", "\r\n", "'\"\\;--"]


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def app(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The small host on each kind of database; shared by all tests, because none of them stores anything."""
    with TemporaryDirectory() as directory, fresh_database(request.param, Path(directory)) as url:
        app = hosts.make_app(Path(directory), database=url, clock=StoppedClock())
        try:
            yield app
        finally:
            hosts.dispose(app)


@pytest.fixture(scope="module")
def program(app: Flask) -> Program:
    """A client that Bob and Alice have approved, so that only the request can be refused."""
    program = Program.registered(app)
    program.connects(Person(app, "bob"))
    program.connects(Person(app, "alice"), workspace="acme")
    return program


def without(pairs: dict[str, str], name: str) -> str:
    return urlencode({key: value for key, value in pairs.items() if key != name})


def assert_rfc_response(response: TestResponse) -> None:
    assert response.status_code in (200, 400, 401, 429), response.text
    body = response.get_json()
    assert response.status_code == 200 or set(body) <= {"error", "error_description"}
    assert response.headers["Cache-Control"] == "no-store"


def test_nasty_characters_at_the_client_endpoints(app: Flask, program: Program) -> None:
    forms = [
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": "x", "code_verifier": "x"},
        {"grant_type": "refresh_token", "refresh_token": "a.0.b.c", "scope": "x"},
        {"grant_type": "client_credentials", "scope": "x"},
        {"token": "x", "token_type_hint": "x"},
    ]
    credentials = {"client_id": program.client_id, "client_secret": program.client_secret or ""}
    client = app.test_client()

    with assert_nothing_stored(app):
        for form in forms:
            paths = ("revoke", "introspect") if "token" in form else ("token",)
            for name in (*form, *credentials, "unknown"):
                for nasty in NASTY:
                    body = f"{without(form | credentials, name)}&{name}={nasty}"
                    for path in paths:
                        assert_rfc_response(client.post(f"/oauth/{path}", data=body, content_type=FORM))


def test_nasty_characters_in_every_part_of_a_token(app: Flask, program: Program) -> None:
    client, credentials = (
        app.test_client(),
        {"client_id": program.client_id, "client_secret": program.client_secret or "", "grant_type": "refresh_token"},
    )

    with assert_nothing_stored(app):
        for nasty in NASTY:
            for text in (
                f"{nasty}.0.b.c",
                f"a.{nasty}.b.c",
                f"a.0.{nasty}.c",
                f"a.0.b.{nasty}",
                f"v1.{nasty}.c",
                f"v1.e30.{nasty}",
                f"e30.{nasty}.c",
            ):
                body = f"{urlencode(credentials)}&token={text}&refresh_token={text}"
                for path in ("token", "revoke", "introspect"):
                    assert_rfc_response(client.post(f"/oauth/{path}", data=body, content_type=FORM))


def test_nasty_characters_in_the_authorization_header(app: Flask, program: Program) -> None:
    client = app.test_client()

    with assert_nothing_stored(app):
        for nasty in NASTY:
            pairs = [(nasty, "x"), (program.client_id, nasty), (nasty, nasty)]
            for pair in pairs:
                response = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=pair)
                assert_rfc_response(response)
        for raw in ("\xff", "\xc3\xa9", "\x80\x00"):
            for scheme in ("Basic", "Bearer"):
                headers = {"Authorization": f"{scheme} {raw}"}
                assert_rfc_response(client.post("/oauth/introspect", data={"token": "x"}, headers=headers))
                assert client.get("/api/whoami", headers=headers).status_code == 401


def test_a_body_that_is_not_a_valid_form(app: Flask) -> None:
    client = app.test_client()

    with assert_nothing_stored(app):
        for body in (b"\xff\xfe", b"client_id=\xff", b"\x00=\x00", b"=", b"&&&", b"a=b=c", b"%", b""):
            for path in ("token", "revoke", "introspect"):
                assert_rfc_response(client.post(f"/oauth/{path}", data=body, content_type=FORM))


def test_nasty_characters_at_the_authorization_endpoint(app: Flask, program: Program) -> None:
    anonymous, bob = Person(app), Person(app, "bob")
    names = ["client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"]
    names += ["code_challenge", "code_challenge_method", "prompt", "resource", "request_id", "x"]

    with assert_nothing_stored(app):
        for name in names:
            for nasty in NASTY:
                for person in (anonymous, bob):
                    question = program.question(**({} if name == "x" else {name: None}))
                    response = person.opens(f"{question}&{name}={nasty}")
                    if response.status_code == 400:
                        assert_error_page(response)
                    elif response.status_code == 303:
                        assert response.location.startswith(f"{CALLBACK}?")
                    else:
                        assert response.status_code == (302 if person is anonymous else 200)


def test_nasty_characters_in_the_consent_form(app: Flask, program: Program) -> None:
    bob = Person(app, "bob")
    form = bob.sees(program.question(prompt="consent")).form("decision").values | {"decision": "approve"}

    with assert_nothing_stored(app):
        for name in ("request_id", "consent_token", "decision", "workspace"):
            for nasty in NASTY:
                response = bob.browser.post(
                    "/oauth/authorize",
                    data=f"{urlencode(form | {name: ''}, doseq=True)}".replace(f"{name}=", f"{name}={nasty}"),
                    content_type=FORM,
                )
                assert response.status_code in (400, 422), (name, nasty)


def test_nasty_characters_in_a_json_consent(app: Flask, program: Program) -> None:
    bob = Person(app, "bob")
    form = bob.sees(program.question(prompt="consent")).form("decision").values | {"decision": "approve"}

    with assert_nothing_stored(app):
        for nasty in NASTY_STRINGS:
            for value in (nasty, f"v1.{nasty}.x", f"v1.e30.{nasty}"):
                for name in ("request_id", "consent_token", "decision", "workspace"):
                    response = bob.browser.post("/oauth/authorize", json=form | {name: value})
                    assert response.status_code in (400, 422), (name, value)
                    assert response.mimetype == "application/problem+json"


def test_nasty_characters_in_paths(app: Flask, program: Program) -> None:
    alice = Person(app, "alice")
    account = alice.sees("/oauth/connected-apps").form_to("/disconnect").values["page_token"]
    area = alice.sees("/automation/clients/new").form("redirect_uris").values["page_token"]
    api = "/api/integration/activepieces/oauth-clients"

    with assert_nothing_stored(app):
        for nasty in NASTY:
            text = quote(nasty, safe="%")
            gets = [f"/automation/clients/{text}", f"{api}/{text}", f"/oauth/authorize/request/{text}"]
            gets += [f"/.well-known/oauth-authorization-server/{text}"]
            for path in gets:
                assert alice.opens(path).status_code in (400, 404), path
            posts = [f"/automation/clients/{text}/rotate", f"/automation/clients/{text}/delete"]
            posts += [f"/oauth/connected-apps/{text}/disconnect"]
            for path in posts:
                token = account if path.startswith("/oauth/") else area
                response = alice.browser.post(path, data={"page_token": token, "confirm": "on"})
                assert response.status_code == 404, path
            assert alice.browser.delete(f"{api}/{text}").status_code == 404


def test_nasty_characters_in_a_registration(app: Flask) -> None:
    """Each value is refused, or stored and returned unchanged; it never causes a database error."""
    alice = Person(app, "alice")
    valid = {"name": "N", "description": "", "scope": ALL_SCOPES, "redirect_uris": [CALLBACK]}

    for name in valid:
        for text in NASTY_STRINGS:
            value = [text] if name == "redirect_uris" else text
            response = alice.browser.post(
                "/api/integration/activepieces/oauth-clients",
                data=json.dumps(valid | {name: value}),
                content_type="application/json",
            )
            assert response.status_code in (201, 422), (name, text)
            if response.status_code == 201:
                assert response.get_json()[name] == text.strip()
