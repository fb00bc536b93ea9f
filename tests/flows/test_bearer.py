"""Calling the host's API with an access token: every answer of RFC 6750 §3."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from flask_activepieces.state import get_state
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock

RESOURCE = "http://localhost/.well-known/oauth-protected-resource"


@pytest.fixture
def token(program: Program, bob: Person) -> str:
    """A valid access token of Bob, without the scope tasks:write."""
    pair = program.connects(bob, scope=["profile:read", "tasks:read"])
    assert isinstance(pair["access_token"], str)
    return pair["access_token"]


def call(app: Flask, authorization: str | None, path: str = "/api/whoami") -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return app.test_client().get(path, headers=headers)


def s256_challenge(response: TestResponse) -> dict[str, str]:
    """The one Bearer challenge, parsed strictly (RFC 9110 §11.6.1)."""
    (header,) = response.headers.getlist("WWW-Authenticate")
    scheme, _, rest = header.partition(" ")
    parameters = re.findall(r'(\w+)="([^"\\]*)"', rest)
    assert scheme == "Bearer"
    assert ", ".join(f'{name}="{value}"' for name, value in parameters) == rest
    return dict(parameters)


def assert_refused(response: TestResponse, description: str) -> None:
    """401 invalid_token, with the same error in the header and in the body."""
    error = {"error": "invalid_token", "error_description": description}
    assert answer_of(response, 401) == error
    assert s256_challenge(response) == {
        "realm": "api",
        **error,
        "scope": "profile:read",
        "resource_metadata": RESOURCE,
    }
    assert response.headers["Cache-Control"] == "no-store"
    assert response.mimetype == "application/json"


def test_a_valid_token_is_accepted_by_the_view(app: Flask, program: Program, token: str) -> None:
    assert answer_of(call(app, f"Bearer {token}")) == {
        "user_id": "bob",
        "tenant_id": "acme",
        "client_id": program.client_id,
        "scopes": ["profile:read", "tasks:read"],
    }


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR", "Bearer "])
def test_the_scheme_is_case_insensitive(app: Flask, token: str, scheme: str) -> None:
    """RFC 9110 §11.1; pieces of Activepieces spell it in different ways."""
    assert call(app, f"{scheme} {token}").status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic Ym9iOmJvYg=="])
def test_without_a_token_the_challenge_names_no_error(app: Flask, authorization: str | None) -> None:
    """RFC 6750 §3.1: a request without authentication gets a challenge without an error code."""
    response = call(app, authorization)

    assert response.status_code == 401
    assert s256_challenge(response) == {"realm": "api", "scope": "profile:read", "resource_metadata": RESOURCE}


def test_the_challenge_links_to_a_document_that_names_the_issuer(app: Flask) -> None:
    """RFC 9728 §5.1: a program that knows only the API's URL can discover the issuer."""
    url = s256_challenge(call(app, None))["resource_metadata"]

    document = answer_of(app.test_client().get(url))

    assert document["authorization_servers"] == ["http://localhost"]
    assert document["bearer_methods_supported"] == ["header"]


def test_insufficient_scope_names_the_required_scope(app: Flask, program: Program, token: str) -> None:
    response = program.calls(token, "/api/tasks", "POST")

    error = {"error": "insufficient_scope", "error_description": "The access token lacks a scope."}
    assert answer_of(response, 403) == error
    assert s256_challenge(response) == {
        "realm": "api",
        **error,
        "scope": "tasks:write",
        "resource_metadata": RESOURCE,
    }


@pytest.mark.parametrize("location", ["query", "form"])
def test_a_token_outside_the_header_is_ignored(app: Flask, program: Program, bob: Person, location: str) -> None:
    """RFC 9700 §4.3.2: query strings end up in logs; RFC 6750 §2.2 and §2.3 are optional."""
    parameters: dict[str, Any] = {"access_token": program.connects(bob)["access_token"]}
    options = {"query_string": parameters} if location == "query" else {"data": parameters}

    response = app.test_client().post("/api/tasks", **options)

    assert response.status_code == 401
    assert "error" not in s256_challenge(response)


def segment(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


#: Invalid tokens, each malformed in a different way.
INVALID_TOKENS: dict[str, Callable[[str], str]] = {
    "one string": lambda token: "nonsense",
    "two tokens": lambda token: f"{token} {token}",
    "dots": lambda token: "..",
    "a signature cut short": lambda token: token[:-3],
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "five parts": lambda token: f"{token}.a.b",
    "very long": lambda token: "a" * 9000,
    "Latin letters": lambda token: "é.é.é",
    "a header that is a list": lambda token: f"{segment(['HS256'])}.e30.AAAA",
    "a header that is null": lambda token: f"{segment(None)}.e30.AAAA",
    "a header without an algorithm": lambda token: f"{segment({'typ': 'at+jwt'})}.e30.AAAA",
    "a key id that is an object": lambda token: f"{segment({'alg': 'HS256', 'typ': 'at+jwt', 'kid': {}})}.e30.AAAA",
    "a critical extension": lambda token: (
        f"{segment({'alg': 'HS256', 'typ': 'at+jwt', 'crit': ['x'], 'x': 1})}.e30.AAAA"
    ),
    "an algorithm that is a number": lambda token: f"{segment({'alg': 5, 'typ': 'at+jwt', 'kid': 'k'})}.e30.AAAA",
    "deep JSON": lambda token: urlsafe_b64encode(b"[" * 3000).rstrip(b"=").decode() + ".e30.AAAA",
}


@pytest.mark.parametrize("name", INVALID_TOKENS)
def test_a_malformed_token_is_reported_as_invalid(app: Flask, token: str, name: str) -> None:
    assert_refused(call(app, f"Bearer {INVALID_TOKENS[name](token)}"), "The access token is not valid here.")


def test_a_token_expires_to_the_second(app: Flask, clock: StoppedClock, token: str) -> None:
    clock.advance(3599)
    assert call(app, f"Bearer {token}").status_code == 200

    clock.advance(1)
    assert_refused(call(app, f"Bearer {token}"), "The access token has expired.")


def test_a_refresh_token_is_not_accepted_by_the_view(app: Flask, program: Program, bob: Person) -> None:
    pair = program.connects(bob)

    assert_refused(call(app, f"Bearer {pair['refresh_token']}"), "The access token is not valid here.")


def test_a_token_of_another_service_with_the_same_key_is_not_valid_here(make_app: MakeApp) -> None:
    """A host may use one key for several services, so other claims must not make their tokens valid here."""
    key = ECKey.generate_key("P-256", private=True)
    app = make_app(ACTIVEPIECES_JWT_KEYS=[key.as_pem(private=True).decode()])
    kid = get_state(app).settings.jwt_keys.signing.kid
    header = {"alg": "ES256", "typ": "at+jwt", "kid": kid}
    ours = {"iss": "http://localhost", "aud": "http://localhost", "exp": 2_000_000_000}

    for claims in (
        {},
        {"iss": "http://localhost"},
        ours,
        ours | {"aud": ["http://localhost"]},
        ours | {"exp": "soon"},
        ours | {"iss": "https://other.test", "aud": "https://other.test"},
    ):
        token = jwt.encode(header, claims, key, algorithms=["ES256"])
        assert_refused(call(app, f"Bearer {token}"), "The access token is not valid here.")
