"""Client authentication with a private key (RFC 7523 §3): every claim and header that is checked."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from flask_activepieces.crypto.jwt_keys import AlgorithmRegistry
from flask_activepieces.oauth.clients.assertions import (
    MAX_LIFETIME,
    InvalidAssertion,
    InvalidKeys,
    PublicKeys,
    VerifiedAssertion,
    read_unverified,
    verify_assertion,
)
from tests.support import forgeries

NOW = 1_800_000_000
CLIENT = "https://client.example/metadata.json"
ISSUER, TOKEN_ENDPOINT = "https://app.example.com", "https://app.example.com/oauth/token"
EC = ECKey.generate_key("P-256", {"kid": "ec"})
P384 = ECKey.generate_key("P-384", {"kid": "p384"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
CLAIMS: dict[str, Any] = {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "jti": "one", "iat": NOW, "exp": NOW + 60}
Key = ECKey | RSAKey | OKPKey


def public(*keys: Key, **extra: Any) -> PublicKeys:
    return PublicKeys.parse({"keys": [key.as_dict(private=False) | extra for key in keys]})


KEYS = public(EC, P384, RSA, ED)


def signed(key: Key = EC, *, alg: str = "ES256", header: dict[str, Any] | None = None, **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not ...}
    head = {"alg": alg, "kid": key.kid} | (header or {})
    head = {name: value for name, value in head.items() if value is not ...}
    return jwt.encode(head, claims, key, registry=AlgorithmRegistry(algorithms=[alg], strict_check_header=False))


def verify(assertion: str, *, keys: PublicKeys = KEYS, now: int = NOW) -> VerifiedAssertion:
    return verify_assertion(assertion, keys, client_id=CLIENT, audiences=(ISSUER, TOKEN_ENDPOINT), now=now)


@pytest.mark.parametrize(
    ("key", "alg"),
    [(EC, "ES256"), (P384, "ES384"), (RSA, "RS256"), (RSA, "PS256"), (ED, "EdDSA"), (ED, "Ed25519")],
    ids=["ES256", "ES384", "RS256", "PS256", "EdDSA", "Ed25519"],
)
def test_every_supported_algorithm_is_accepted(key: Key, alg: str) -> None:
    assert verify(signed(key, alg=alg)) == VerifiedAssertion("one", NOW + 60)


@pytest.mark.parametrize("audience", [ISSUER, TOKEN_ENDPOINT, [ISSUER], [ISSUER, TOKEN_ENDPOINT]])
def test_the_audience_is_the_issuer_or_the_token_endpoint(audience: Any) -> None:
    verify(signed(aud=audience))


@pytest.mark.parametrize("typ", [..., "JWT", "jwt", "client-authentication+jwt"])
def test_the_type_of_a_client_assertion_is_accepted(typ: Any) -> None:
    verify(signed(header={"typ": typ}))


def test_a_key_without_an_id_is_used_if_it_is_the_only_one() -> None:
    assertion = signed(header={"kid": ...})

    verify(assertion, keys=public(EC))
    with pytest.raises(InvalidAssertion, match="kid"):
        verify(assertion)


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"iss": ...}, "iss and sub"),
    ({"iss": "https://other.example/x"}, "iss and sub"),
    ({"sub": ...}, "iss and sub"),
    ({"sub": "https://other.example/x"}, "iss and sub"),
    ({"sub": CLIENT.upper()}, "iss and sub"),
    ({"aud": ...}, "aud"),
    ({"aud": ""}, "aud"),
    ({"aud": []}, "aud"),
    ({"aud": "https://other.example"}, "aud"),
    ({"aud": f"{ISSUER}/"}, "aud"),
    ({"aud": f"{ISSUER}/oauth/revoke"}, "aud"),
    # Another server that it names too could use it here.
    ({"aud": [ISSUER, "https://other.example"]}, "aud"),
    ({"aud": [[ISSUER]]}, "aud"),
    ({"exp": ...}, "expired"),
    ({"exp": str(NOW + 60)}, "expired"),
    ({"exp": None}, "expired"),
    ({"exp": True}, "expired"),
    ({"exp": NOW - 60}, "expired"),
    ({"exp": -1}, "expired"),
    ({"exp": NOW + MAX_LIFETIME + 61}, "within 300 seconds"),
    ({"exp": NOW + 86_400}, "within 300 seconds"),
    ({"exp": 1e300}, "expired"),
    ({"nbf": NOW + 61}, "not valid yet"),
    ({"nbf": "now"}, "not valid yet"),
    ({"iat": NOW + 61}, "not valid yet"),
    ({"iat": None}, "not valid yet"),
    ({"jti": ...}, "jti"),
    ({"jti": ""}, "jti"),
    ({"jti": 7}, "jti"),
    ({"jti": "a" * 201}, "jti"),
    ({"jti": ["one"]}, "jti"),
]


@pytest.mark.parametrize(("changes", "word"), INVALID, ids=lambda value: str(value)[:40])
def test_an_assertion_with_another_claim_is_rejected(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidAssertion, match=word):
        verify(signed(**changes))


def test_an_assertion_expires_by_clocks_that_may_differ() -> None:
    verify(signed(), now=NOW + 119)
    verify(signed(iat=NOW + 60, nbf=NOW + 60))
    with pytest.raises(InvalidAssertion):
        verify(signed(), now=NOW + 120)


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "logout+jwt", "", 1, ["JWT"]])
def test_a_jwt_for_another_use_is_rejected(typ: Any) -> None:
    """RFC 8725 §3.11."""
    with pytest.raises(InvalidAssertion):
        verify(forgeries.signed({"alg": "ES256", "kid": "ec", "typ": typ}, CLAIMS, EC))


def test_a_critical_extension_is_rejected() -> None:
    header = {"alg": "ES256", "kid": "ec", "crit": ["exp"], "exp": 1}

    with pytest.raises(InvalidAssertion):
        verify(forgeries.signed(header, CLAIMS, EC))


def test_an_assertion_of_another_key_is_rejected() -> None:
    other = ECKey.generate_key("P-256", {"kid": "ec"})

    with pytest.raises(InvalidAssertion, match="signature"):
        verify(signed(other))


def test_a_key_that_the_assertion_brings_along_is_not_used() -> None:
    """RFC 7515 §4.1.3: jwk, and §4.1.2: jku, are the attacker's."""
    other = ECKey.generate_key("P-256", {"kid": "ec"})
    headers: list[dict[str, Any]] = [
        {"jwk": other.as_dict(private=False)},
        {"jku": "https://evil.test/jwks.json"},
        {"x5u": "https://evil.test/x"},
    ]

    for header in headers:
        with pytest.raises(InvalidAssertion):
            verify(signed(other, header=header))


def test_the_public_key_is_not_a_shared_secret() -> None:
    """Algorithm confusion (RFC 8725 §2.1)."""
    forged = forgeries.hs256({"alg": "HS256", "kid": "rsa"}, CLAIMS, RSA.as_pem(private=False))

    with pytest.raises(InvalidAssertion, match="signature"):
        verify(forged)


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "RS256", "ES384", "ES512", "", None])
def test_the_key_determines_the_algorithm(alg: Any) -> None:
    forged = forgeries.joined({"alg": alg, "kid": "ec"}, CLAIMS)

    with pytest.raises(InvalidAssertion):
        verify(forged)


def test_a_key_that_names_its_algorithm_is_for_that_one() -> None:
    keys = public(RSA, alg="PS256")

    verify(signed(RSA, alg="PS256"), keys=keys)
    with pytest.raises(InvalidAssertion):
        verify(signed(RSA, alg="RS256"), keys=keys)


@pytest.mark.parametrize("text", ["", ".", "a.b", "a.b.c", "a.b.c.d.e", "é.é.é", "{}", "\x00.\x00.\x00", "." * 8000])
def test_what_is_no_jwt_is_rejected(text: str) -> None:
    with pytest.raises(InvalidAssertion):
        read_unverified(text)
    with pytest.raises(InvalidAssertion):
        verify(text)


@pytest.mark.parametrize("claims", [[], "x", None, b"[" * 3000, b"9" * 5000, b"\xff"])
def test_claims_that_are_no_object_name_no_client(claims: Any) -> None:
    try:
        _, subject = read_unverified(forgeries.joined({"alg": "ES256", "kid": "ec"}, claims))
    except InvalidAssertion:
        return
    assert subject is None


def test_keys_survive_the_database() -> None:
    stored = PublicKeys.from_json(KEYS.to_json())

    for key, alg in ((EC, "ES256"), (P384, "ES384"), (RSA, "PS256"), (ED, "EdDSA")):
        verify(signed(key, alg=alg), keys=stored)
    assert '"d"' not in KEYS.to_json()


@pytest.mark.parametrize(
    "jwks",
    [
        None,
        [],
        "keys",
        {},
        {"keys": {}},
        {"keys": ["x"]},
        {"keys": [None]},
        {"keys": []},
        {"keys": [{}]},
        {"keys": [{"kty": "EC"}]},
        {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]},
        {"keys": [{"kty": "XX"}]},
        {"keys": [RSA.as_dict(private=False) | {"n": "A" * 171}]},
        {"keys": [RSA.as_dict(private=False) | {"n": "A" * 1366}]},
        {"keys": [ECKey.generate_key("P-521").as_dict(private=False)]},
        {"keys": [EC.as_dict(private=False) | {"use": "enc"}]},
        {"keys": [EC.as_dict(private=False) | {"key_ops": ["sign"]}]},
        {"keys": [EC.as_dict(private=False) | {"key_ops": "verify"}]},
        {"keys": [EC.as_dict(private=False) | {"alg": "HS256"}]},
        {"keys": [EC.as_dict(private=False) | {"kid": 5}]},
        {"keys": [EC.as_dict(private=True)]},
        {"keys": [OctKey.generate_key().as_dict(private=True)]},
        {"keys": [EC.as_dict(private=False)] * 21},
    ],
    ids=count(1),  # the keys differ in each process
)
def test_a_jwk_set_without_a_usable_key_is_rejected(jwks: Any) -> None:
    with pytest.raises(InvalidKeys):
        PublicKeys.parse(jwks)


def test_keys_for_other_purposes_are_left_out() -> None:
    encryption = ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"})
    keys = PublicKeys.parse(json.loads(json.dumps(KeySet([EC, encryption]).as_dict(private=False))))

    assert keys.find("ec") is not None
    assert keys.find("enc") is None


def test_two_keys_with_one_id_are_ambiguous() -> None:
    other = ECKey.generate_key("P-256", {"kid": "ec"})

    assert public(EC, other).find("ec") is None
