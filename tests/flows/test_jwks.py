"""The published keys (RFC 7517), with which other services verify tokens; and what is never published."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey, import_key

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import START
from tests.support.forgeries import opened
from tests.support.hosts import ALL_SCOPES


def read(app: Flask, path: str, **options: Any) -> dict[str, Any]:
    return answer_of(app.test_client().get(path, **options))


@cache
def key_of(kind: str) -> ECKey | RSAKey | OKPKey:
    """One key a kind for all tests."""
    make: dict[str, Callable[[], ECKey | RSAKey | OKPKey]] = {
        "ES256": lambda: ECKey.generate_key("P-256"),
        "RS256": lambda: RSAKey.generate_key(2048),
        "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    }
    return make[kind]()


KINDS = ["ES256", "RS256", "EdDSA"]
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def connected(app: Flask) -> str:
    token = Program.registered(app).connects(Person(app, "bob"))["access_token"]
    assert isinstance(token, str)
    return token


@pytest.mark.parametrize("form", ["PEM", "JWK", "a JWK set as text"])
@pytest.mark.parametrize("kind", KINDS)
def test_another_service_verifies_tokens_by_the_published_key_alone(
    make_app: MakeApp, kind: str, form: str
) -> None:
    key = key_of(kind)
    given: dict[str, Any] = {
        "PEM": [key.as_pem(private=True).decode()],
        "JWK": [key.as_dict(private=True)],
        "a JWK set as text": json.dumps(KeySet([key]).as_dict(private=True)),
    }
    app = make_app(ACTIVEPIECES_JWT_KEYS=given[form])

    text, published = connected(app), read(app, "/oauth/jwks.json")
    keys = KeySet([import_key(jwk) for jwk in published["keys"]])
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA; a service that verifies may know either name.
        warnings.simplefilter("ignore", SecurityWarning)
        token = jwt.decode(text, keys, algorithms=[kind])

    assert token.header["typ"] == "at+jwt"
    assert token.header["alg"] == kind
    assert token.header["kid"] == published["keys"][0]["kid"]
    assert token.claims["iss"] == token.claims["aud"] == "http://localhost"
    assert token.claims["scope"] == ALL_SCOPES
    assert (token.claims["iat"], token.claims["exp"]) == (START, START + 3600)


def test_nothing_private_is_published(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_JWT_KEYS=[key_of(kind).as_dict(private=True) for kind in KINDS])

    published = read(app, "/oauth/jwks.json")["keys"]

    assert [key["alg"] for key in published] == KINDS
    for key in published:
        assert key["use"] == "sig"
        assert not PRIVATE & set(key)


def test_derived_keys_are_not_published_at_all(app: Flask) -> None:
    """They are symmetric: whoever can verify with one can also sign."""
    assert read(app, "/oauth/jwks.json") == {"keys": []}
    assert opened(connected(app))[0]["alg"] == "HS256"


def test_an_old_key_goes_on_verifying_after_a_new_one_came_in_front(make_app: MakeApp) -> None:
    old, new = (key_of(kind).as_dict(private=True) for kind in ("RS256", "ES256"))
    token = connected(make_app(ACTIVEPIECES_JWT_KEYS=[old]))

    rotated = make_app(ACTIVEPIECES_JWT_KEYS=[new, old])
    gone = make_app(ACTIVEPIECES_JWT_KEYS=[new])
    answers = [
        app.test_client().get("/api/whoami", headers={"Authorization": f"Bearer {token}"})
        for app in (rotated, gone)
    ]

    assert [answer.status_code for answer in answers] == [200, 401]


def test_tokens_from_before_there_were_configured_keys_go_on_verifying(make_app: MakeApp) -> None:
    token = connected(make_app())

    app = make_app(ACTIVEPIECES_JWT_KEYS=[key_of("EdDSA").as_dict(private=True)])
    answer = app.test_client().get("/api/whoami", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200
