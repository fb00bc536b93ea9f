"""The public keys (RFC 7517) that other services verify tokens with; private keys are never published."""

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
def key_of(algorithm: str) -> ECKey | RSAKey | OKPKey:
    """One key per algorithm for all tests."""
    make: dict[str, Callable[[], ECKey | RSAKey | OKPKey]] = {
        "ES256": lambda: ECKey.generate_key("P-256"),
        "RS256": lambda: RSAKey.generate_key(2048),
        "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    }
    return make[algorithm]()


ALGORITHMS = ["ES256", "RS256", "EdDSA"]
PRIVATE_FIELDS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def issue_access_token(app: Flask) -> str:
    token = Program.registered(app).connects(Person(app, "bob"))["access_token"]
    assert isinstance(token, str)
    return token


@pytest.mark.parametrize("form", ["PEM", "JWK", "a JWK set as a string"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_service_can_verify_tokens_with_the_published_key(
    make_app: MakeApp, algorithm: str, form: str
) -> None:
    key = key_of(algorithm)
    settings: dict[str, Any] = {
        "PEM": [key.as_pem(private=True).decode()],
        "JWK": [key.as_dict(private=True)],
        "a JWK set as a string": json.dumps(KeySet([key]).as_dict(private=True)),
    }
    app = make_app(ACTIVEPIECES_JWT_KEYS=settings[form])

    value, published = issue_access_token(app), read(app, "/oauth/jwks.json")
    keys = KeySet([import_key(jwk) for jwk in published["keys"]])
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA; the verifying service may use either name.
        warnings.simplefilter("ignore", SecurityWarning)
        token = jwt.decode(value, keys, algorithms=[algorithm])

    assert token.header["typ"] == "at+jwt"
    assert token.header["alg"] == algorithm
    assert token.header["kid"] == published["keys"][0]["kid"]
    assert token.claims["iss"] == token.claims["aud"] == "http://localhost"
    assert token.claims["scope"] == ALL_SCOPES
    assert (token.claims["iat"], token.claims["exp"]) == (START, START + 3600)


def test_no_private_key_is_published(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_JWT_KEYS=[key_of(algorithm).as_dict(private=True) for algorithm in ALGORITHMS])

    published = read(app, "/oauth/jwks.json")["keys"]

    assert [key["alg"] for key in published] == ALGORITHMS
    for key in published:
        assert key["use"] == "sig"
        assert not PRIVATE_FIELDS & set(key)


def test_derived_keys_are_not_published(app: Flask) -> None:
    """They are symmetric: anyone who can verify with one can also sign."""
    assert read(app, "/oauth/jwks.json") == {"keys": []}
    assert opened(issue_access_token(app))[0]["alg"] == "HS256"


def test_an_old_key_still_verifies_tokens_after_a_new_key_is_added(make_app: MakeApp) -> None:
    old, new = (key_of(algorithm).as_dict(private=True) for algorithm in ("RS256", "ES256"))
    token = issue_access_token(make_app(ACTIVEPIECES_JWT_KEYS=[old]))

    rotated = make_app(ACTIVEPIECES_JWT_KEYS=[new, old])
    removed = make_app(ACTIVEPIECES_JWT_KEYS=[new])
    answers = [
        app.test_client().get("/api/whoami", headers={"Authorization": f"Bearer {token}"})
        for app in (rotated, removed)
    ]

    assert [answer.status_code for answer in answers] == [200, 401]


def test_tokens_from_before_the_first_configured_key_stay_valid(make_app: MakeApp) -> None:
    token = issue_access_token(make_app())

    app = make_app(ACTIVEPIECES_JWT_KEYS=[key_of("EdDSA").as_dict(private=True)])
    answer = app.test_client().get("/api/whoami", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200
