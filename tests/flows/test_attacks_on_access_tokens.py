"""Attacks on access tokens: another algorithm, another key, another type, another service."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey, RSAKey

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.error_assertions import assert_nothing_stored
from tests.support.forgeries import Claims, hs256, joined, opened, signed

Key = ECKey | RSAKey


@cache
def key_of(key_type: str) -> Key:
    """One key of each type for all tests: RSA keys are slow to generate."""
    key: Key
    if key_type == "EC":
        key = ECKey.generate_key("P-256", {"kid": "the EC key"})
    else:
        key = RSAKey.generate_key(2048, {"kid": "the RSA key"})
    return key


@pytest.fixture(params=["EC", "RSA"])
def key(request: pytest.FixtureRequest) -> Key:
    """The key that the app under attack signs with."""
    return key_of(request.param)


@pytest.fixture
def app(make_app: MakeApp, key: Key) -> Flask:
    """An app with a public key at jwks.json."""
    return make_app(ACTIVEPIECES_JWT_KEYS=[key.as_dict(private=True)])


@pytest.fixture
def token(program: Program, bob: Person) -> str:
    """A genuine access token of Bob."""
    value = program.connects(bob)["access_token"]
    assert isinstance(value, str)
    assert program.calls(value).status_code == 200
    return value


def assert_refused(program: Program, forged: str) -> None:
    """Refused by the protected view and by introspection, which also looks up tokens for revocation."""
    response = program.calls(forged)
    assert response.status_code == 401, response.text
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'error="invalid_token"' in challenge
    assert answer_of(response, 401)["error"] == "invalid_token"
    assert answer_of(program.introspects(forged)) == {"active": False}


def test_a_token_without_an_algorithm_is_refused(app: Flask, program: Program, token: str) -> None:
    header, claims = opened(token)
    signature = token.split(".")[2]
    names: list[Any] = ["none", "None", "NONE", "nOnE", "", None, [], {}, 0, True]

    with assert_nothing_stored(app):
        for algorithm in names:
            unsigned = joined(header | {"alg": algorithm}, claims)
            for forged in (unsigned, unsigned + signature, unsigned.rstrip(".")):
                assert_refused(program, forged)
        assert_refused(program, joined({"typ": "at+jwt", "kid": header["kid"]}, claims))


def test_the_public_key_is_not_accepted_as_a_shared_secret(
    app: Flask, program: Program, token: str, key: Key
) -> None:
    """CVE-2015-9235: HS256, with the public key as the secret."""
    header, claims = opened(token)
    public = app.test_client().get("/oauth/jwks.json")
    secrets = [
        key.as_pem(private=False),
        key.as_pem(private=False).strip(),
        key.as_der(private=False),
        public.get_data(),
        str(public.get_json()["keys"][0]).encode(),
        b"",
        str(header["kid"]).encode(),
    ]

    with assert_nothing_stored(app):
        for secret in secrets:
            for algorithm in ("HS256", header["alg"]):
                for edited in (claims, claims | {"sub": "alice", "tenant_id": "globex"}):
                    assert_refused(program, hs256(header | {"alg": algorithm}, edited, secret))


def test_a_configured_key_verifies_only_its_own_algorithm(app: Flask, program: Program, token: str, key: Key) -> None:
    header, claims = opened(token)
    algorithms = {"EC": ["ES384", "HS256"], "RSA": ["PS256", "RS512", "HS256"]}[key.key_type]

    with assert_nothing_stored(app):
        for algorithm in algorithms:
            assert_refused(program, joined(header | {"alg": algorithm}, claims, b"x" * 64))
        if key.key_type == "RSA":
            for algorithm in ("RS384", "RS512", "PS256"):
                assert_refused(program, signed(header | {"alg": algorithm}, claims, key))


def test_a_foreign_key_is_refused_whatever_its_id(app: Flask, program: Program, token: str) -> None:
    header, claims = opened(token)
    foreign_key = ECKey.generate_key("P-256")
    kids: list[Any] = [header["kid"], "unknown", "", None, [], {}, 0, "../../../dev/null", "' OR 1=1--"]

    with assert_nothing_stored(app):
        for kid in kids:
            assert_refused(program, signed(dict(header, alg="ES256", kid=kid), claims, foreign_key))
            assert_refused(program, hs256(header | {"alg": "HS256", "kid": kid}, claims, b""))
        del header["kid"]
        assert_refused(program, signed(header | {"alg": "ES256"}, claims, foreign_key))


def test_no_key_is_taken_from_the_token_itself(app: Flask, program: Program, token: str) -> None:
    header, claims = opened(token)
    foreign_key = ECKey.generate_key("P-256", {"kid": "mine"})
    public = foreign_key.as_dict(private=False)
    header_keys: list[Claims] = [
        {"jwk": public},
        {"jku": "https://evil.test/jwks.json"},
        {"x5u": "https://evil.test/certificate.pem"},
        {"x5c": ["MIIB"]},
        {"x5t": "x"},
        {"jwk": public, "jku": "https://evil.test/jwks.json", "x5c": []},
    ]

    with assert_nothing_stored(app):
        for header_key in header_keys:
            for kid in ("mine", header["kid"]):
                forged = header | {"alg": "ES256", "kid": kid} | header_key
                assert_refused(program, signed(forged, claims, foreign_key))


def test_a_signed_token_of_another_type_is_refused(program: Program, token: str, key: Key) -> None:
    """RFC 8725 §3.11: signed with our key, for another purpose."""
    header, claims = opened(token)

    for kind in ("JWT", "jwt", "logout+jwt", "oauth-authz-req+jwt", "", None, ["at+jwt"], 1):
        assert_refused(program, signed(header | {"typ": kind}, claims, key))
    del header["typ"]
    assert_refused(program, signed(header, claims, key))


CRITICAL: list[Claims] = [
    {"crit": ["exp"]},
    {"crit": ["unknown"], "unknown": True},
    {"crit": []},
    {"crit": "exp"},
    {"crit": {}},
    {"b64": False, "crit": ["b64"]},
    {"b64": False},
    {"b64": "x", "crit": ["b64"]},
    {"zip": "DEF"},
    {"enc": "A128GCM"},
    {"cty": "JWT", "crit": ["cty"]},
]


def test_an_unknown_critical_header_is_refused(app: Flask, program: Program, token: str, key: Key) -> None:
    """RFC 7515 §4.1.11."""
    header, claims = opened(token)

    with assert_nothing_stored(app):
        for extension in CRITICAL:
            assert_refused(program, joined(header | extension, claims, b"x" * 64))
    for extension in CRITICAL[:2]:
        assert_refused(program, signed(header | extension, claims, key))


@pytest.mark.parametrize("key", ["EC"], indirect=True)
def test_a_malformed_header_is_refused_without_an_error(app: Flask, program: Program, token: str) -> None:
    """The header is read before the signature is checked, so anyone can send it."""
    header, claims = opened(token)
    malformed: list[Any] = [1, True, None, [1], [[]], [{}], [None]]

    with assert_nothing_stored(app):
        for value in malformed:
            for name in ("crit", "alg", "typ", "kid", "b64", "jwk", "x5c", "jku"):
                assert_refused(program, joined(header | {name: value}, claims, b"x" * 64))


FOREIGN: list[Claims] = [
    {"iss": "https://evil.test", "aud": "https://evil.test"},
    {"iss": "https://evil.test"},
    {"aud": "https://evil.test"},
    {"aud": ["http://localhost"]},
    {"aud": ["http://localhost", "https://evil.test"]},
    {"iss": "http://localhost/", "aud": "http://localhost/"},
    {"iss": "https://localhost", "aud": "https://localhost"},
    {"iss": "http://localhost:8080", "aud": "http://localhost:8080"},
    {"iss": "http://localhost.evil.test", "aud": "http://localhost.evil.test"},
    {"iss": "http://127.0.0.1@evil.test", "aud": "http://127.0.0.1@evil.test"},
]


def test_a_token_for_another_issuer_or_audience_is_refused(program: Program, token: str, key: Key) -> None:
    """Another service may sign with the same key."""
    header, claims = opened(token)

    for change in FOREIGN:
        assert_refused(program, signed(header, claims | change, key))


@pytest.mark.parametrize("key", ["EC"], indirect=True)
def test_a_token_of_our_key_without_our_claims_is_refused(program: Program, token: str, key: Key) -> None:
    """RFC 9068 §2.2 requires each claim; another service with the same key may use other claims."""
    header, claims = opened(token)
    wrong: list[Any] = [None, [], {}]

    for name in ("iss", "aud", "exp", "iat", "jti", "sub", "scope", "client_id"):
        for value in wrong:
            assert_refused(program, signed(header, claims | {name: value}, key))
        remaining = {claim: value for claim, value in claims.items() if claim != name}
        assert_refused(program, signed(header, remaining, key))


@pytest.mark.parametrize("key", ["EC"], indirect=True)
def test_a_signed_payload_that_is_not_a_claims_object_is_refused(program: Program, token: str, key: Key) -> None:
    header, _ = opened(token)

    for payload in (b"[]", b"null", b'"x"', b"1", b"", b"{", b"\xff", b"NaN", b"[" * 5000):
        assert_refused(program, signed(header, payload, key))
