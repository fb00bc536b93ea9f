"""The keys for access tokens: each has one algorithm, the first key signs, all keys verify."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from flask_activepieces.crypto.jwt_keys import JwtKey, JwtKeys, configured_keys, derived_keys
from flask_activepieces.crypto.keyring import KeyRing
from flask_activepieces.errors import SignatureError, SignatureExpired
from flask_activepieces.oauth.resources import API
from flask_activepieces.oauth.tokens.access_tokens import sign, verify
from tests.support.access_tokens import EXPIRES_AT, TOKEN


@cache
def ec() -> ECKey:
    key: ECKey = ECKey.generate_key("P-256")
    return key


def jwk(**changes: Any) -> str:
    """A valid private EC key with some fields changed."""
    return json.dumps({**ec().as_dict(private=True), **changes})


def works(keys: JwtKeys) -> bool:
    """Whether these keys verify a token that they signed."""
    text = sign(keys, TOKEN)
    return verify(keys, text, issuer=TOKEN.issuer, now=TOKEN.issued_at, resources=[API]) == TOKEN


def test_the_key_determines_the_algorithm() -> None:
    kinds: list[tuple[ECKey | RSAKey | OKPKey, str]] = [
        (ec(), "ES256"),
        (RSAKey.generate_key(2048), "RS256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
    ]

    for material, algorithm in kinds:
        for text in (
            json.dumps(material.as_dict(private=True)),
            material.as_pem(private=True).decode(),
            "\n " + material.as_pem(private=True).decode() + "\n",
        ):
            (key,) = configured_keys([text])
            assert key.algorithm == algorithm
            assert key.kid == material.thumbprint()  # RFC 7638
            assert not key.is_symmetric
            assert works(JwtKeys((key,)))


def test_a_key_may_contain_its_id() -> None:
    (key,) = configured_keys([jwk(kid="2026-11")])

    assert key.kid == "2026-11"


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # joserfc warns too
@pytest.mark.parametrize("size", [1024, 2047])
def test_a_weak_rsa_key_is_rejected(size: int) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=size)
    pem = weak.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    with pytest.raises(ValueError, match="2048"):
        configured_keys([pem.decode()])


def test_an_encrypted_key_is_rejected() -> None:
    material = ec().get_op_key("sign")
    pem = material.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )

    with pytest.raises(ValueError, match="key 1"):
        configured_keys([pem.decode()])


@pytest.mark.parametrize(
    "make",
    [
        lambda: ECKey.generate_key("P-384"),
        lambda: ECKey.generate_key("P-521"),
        lambda: ECKey.generate_key("secp256k1"),
        lambda: OKPKey.generate_key("X25519"),
        lambda: OctKey.generate_key(256),
    ],
    ids=["P-384", "P-521", "secp256k1", "X25519", "oct"],
)
def test_a_key_of_another_type_is_rejected(make: Any) -> None:
    with pytest.raises(ValueError, match="EC P-256, RSA of 2048 to 4096 bits, or Ed25519"):
        configured_keys([json.dumps(make().as_dict(private=True))])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{",
        "{}",
        "[]",
        '{"kty": "EC"}',
        '{"kty": "none"}',
        jwk(d="AAAA"),
        jwk(kid=5),
        jwk(crv=None),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        '{"a":' * 5000,
    ],
    ids=range(12),
)
def test_an_invalid_key_is_rejected_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match="key 2") as caught:
        configured_keys([jwk(), text])

    assert caught.value.__cause__ is None
    assert not text[:60] or text[:60] not in str(caught.value)


def test_only_the_signing_key_must_be_private() -> None:
    public = json.dumps(ec().as_dict(private=False))
    private = json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True))

    with pytest.raises(ValueError, match="private"):
        configured_keys([public, private])
    assert len(configured_keys([private, public])) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"alg": "ES256"},
        {"use": "sig"},
        {"key_ops": ["sign", "verify"]},
        {"key_ops": ["sign"]},  # as in private keys from WebCrypto
        {"key_ops": ["verify"]},
        {"use": "enc"},
        {"alg": "ES384"},
        {"alg": "RS256"},
        {"kid": "k" * 500},
        {"kid": "\u00e9" * 200},
        {"kid": ""},
    ],
    ids=str,
)
def test_an_unusual_field_of_a_key_is_rejected_or_harmless(fields: dict[str, Any]) -> None:
    """Otherwise the app would start, and then every token request, or every issued token, would fail."""
    try:
        keys = JwtKeys(configured_keys([jwk(**fields)]))
    except ValueError:
        return
    assert works(keys)


def test_two_keys_with_the_same_id_are_rejected() -> None:
    """Only the first would be found, so tokens signed by the second would not verify."""
    other = ECKey.generate_key("P-256").as_dict(private=True)

    with pytest.raises(ValueError, match="kid"):
        configured_keys([jwk(kid="same"), json.dumps({**other, "kid": "same"})])


def test_there_is_a_derived_key_for_each_secret_key() -> None:
    new, old = derived_keys(KeyRing(["a newer key, in front", "a key for the test vectors only"]))

    assert (old.kid, old.algorithm, old.is_symmetric) == ("cbc5f63afc59e2c7", "HS256", True)
    assert new.kid != old.kid
    assert works(JwtKeys((new, old)))


def test_a_key_derived_for_another_purpose_cannot_sign_access_tokens() -> None:
    ring = KeyRing(["a key for the test vectors only"])
    keys = JwtKeys(derived_keys(ring))

    for purpose in ("authorization code", "refresh token", "pending request", "consent", "page"):
        for secret in ring.derive(purpose):
            stolen = JwtKeys([JwtKey(keys.signing.kid, "HS256", OctKey.import_key(secret))])
            with pytest.raises(SignatureError):
                verify(keys, sign(stolen, TOKEN), issuer=TOKEN.issuer, now=TOKEN.issued_at, resources=[API])


def test_only_public_halves_are_published() -> None:
    keys = JwtKeys(configured_keys([jwk(kid="mine")]) + derived_keys(KeyRing(["k" * 16])))

    (published,) = keys.jwks()["keys"]

    assert set(published) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (published["kid"], published["alg"], published["use"]) == ("mine", "ES256", "sig")


def test_a_repr_shows_no_key() -> None:
    keys = JwtKeys(configured_keys([jwk()]) + derived_keys(KeyRing(["k" * 16])))

    shown = repr(keys)

    assert str(ec().as_dict(private=True)["d"]) not in shown
    assert "OctKey" not in shown and "secret" not in shown


def test_a_verified_token_makes_no_other_token_valid() -> None:
    keys = JwtKeys(derived_keys(KeyRing(["a key for the test vectors only"])))
    token = sign(keys, TOKEN)
    assert works(keys)
    header, payload, signature = token.split(".")

    for changed in (f"{header}.{payload}.{signature[:-2]}AA", f"{header}.e30.{signature}", token + "?"):
        with pytest.raises(SignatureError):
            verify(keys, changed, issuer=TOKEN.issuer, now=TOKEN.issued_at, resources=[API])


def test_a_verified_token_still_expires() -> None:
    keys = JwtKeys(derived_keys(KeyRing(["a key for the test vectors only"])))
    token = sign(keys, TOKEN)
    verify(keys, token, issuer=TOKEN.issuer, now=EXPIRES_AT - 1, resources=[API])

    with pytest.raises(SignatureExpired):
        verify(keys, token, issuer=TOKEN.issuer, now=EXPIRES_AT, resources=[API])


def test_a_verified_token_is_not_kept_in_memory() -> None:
    keys = JwtKeys(derived_keys(KeyRing(["a key for the test vectors only"])))
    token = sign(keys, TOKEN)
    verify(keys, token, issuer=TOKEN.issuer, now=TOKEN.issued_at, resources=[API])

    assert token not in str(vars(keys))
    assert token.rpartition(".")[2] not in str(vars(keys))
