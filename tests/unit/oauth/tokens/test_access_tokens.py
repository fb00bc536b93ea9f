"""Access tokens (RFC 9068): their claims, and why they are rejected."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey

from flask_activepieces.crypto.jwt_keys import JwtKeys, configured_keys, derived_keys
from flask_activepieces.crypto.keyring import KeyRing
from flask_activepieces.errors import SignatureError, SignatureExpired
from flask_activepieces.oauth.resources import API, Resource
from flask_activepieces.oauth.tokens.access_tokens import AccessToken, WrongAudience, deterministic_id, sign, verify
from tests.support.forgeries import hs256, opened

NOW = 1_800_000_000
ISSUER = "https://app.example.com"
RING = KeyRing(["a key for the test vectors only"])
KEYS = JwtKeys(derived_keys(RING))
TOKEN = AccessToken(
    jti="jti",
    issuer=ISSUER,
    audience=ISSUER,
    user_id="bob",
    tenant_id="acme",
    organization_id="org",
    client_id="client",
    grant_id="grant",
    family_id="family",
    scope="tasks:read tasks:write",
    issued_at=NOW,
    expires_at=NOW + 3600,
)
OF_A_CLIENT = replace(TOKEN, user_id=None, organization_id=None, grant_id=None, family_id=None)


def read(
    text: str, *, keys: JwtKeys = KEYS, issuer: str = ISSUER, now: int = NOW, resources: tuple[Resource, ...] = (API,)
) -> AccessToken:
    return verify(keys, text, issuer=issuer, now=now, resources=resources)


@pytest.mark.parametrize("token", [TOKEN, OF_A_CLIENT], ids=["of a user", "of a client"])
def test_a_verified_token_is_unchanged(token: AccessToken) -> None:
    assert read(sign(KEYS, token)) == token


def test_the_claims_follow_rfc_9068() -> None:
    header, claims = opened(sign(KEYS, TOKEN))

    assert header == {"alg": "HS256", "typ": "at+jwt", "kid": "cbc5f63afc59e2c7"}
    assert claims == {
        "iss": ISSUER,
        "sub": "bob",
        "aud": ISSUER,
        "client_id": "client",
        "scope": "tasks:read tasks:write",
        "jti": "jti",
        "iat": NOW,
        "exp": NOW + 3600,
        "tenant_id": "acme",
        "organization_id": "org",
        "grant_id": "grant",
        "family_id": "family",
    }


def test_the_signature_is_an_hmac_by_the_derived_key() -> None:
    """Computed without joserfc."""
    text = sign(KEYS, TOKEN)
    header, claims = opened(text)

    key = bytes.fromhex("0a00cf39f5715b0f7d75d54d53d539797b719a8a29b4e2ee9e933f4b81a5e04d")

    assert read(hs256(header, claims, key)) == TOKEN
    with pytest.raises(SignatureError):
        read(hs256(header, claims, key[:-1] + b"\0"))


def test_the_subject_of_a_clients_own_token_is_the_client() -> None:
    """RFC 9068 §2.2. A client whose id equals a user's id must not become that user."""
    text = sign(KEYS, replace(OF_A_CLIENT, client_id="bob"))

    assert opened(text)[1]["sub"] == "bob"
    assert read(text).user_id is None


def test_a_token_expires_on_the_second() -> None:
    text = sign(KEYS, TOKEN)

    assert read(text, now=NOW + 3599) == TOKEN
    for late in (3600, 3601, 10**9):
        with pytest.raises(SignatureExpired):
            read(text, now=NOW + late)


def test_a_token_is_valid_for_its_own_resource_only() -> None:
    """RFC 9068 §4: also if two resources share a prefix, or one host."""
    mcp = Resource("mcp", "/mcp")
    for_mcp = sign(KEYS, replace(TOKEN, audience=mcp.identifier(ISSUER)))

    assert read(for_mcp, resources=(mcp,)).audience == f"{ISSUER}/mcp"
    assert read(for_mcp, resources=(API, mcp)).audience == f"{ISSUER}/mcp"
    for text, resource in ((for_mcp, API), (sign(KEYS, TOKEN), mcp), (for_mcp, Resource("mcp", "/mcp2"))):
        with pytest.raises(WrongAudience):
            read(text, resources=(resource,))


@pytest.mark.parametrize("audience", ["", "https://other.example.com", f"{ISSUER}/", f"{ISSUER}/mcp/", "mcp"])
def test_a_token_for_an_unknown_resource_is_rejected(audience: str) -> None:
    with pytest.raises(WrongAudience):
        read(sign(KEYS, replace(TOKEN, audience=audience)), resources=(API, Resource("mcp", "/mcp")))


@pytest.mark.parametrize(
    "issuer", ["https://other.example.com", f"{ISSUER}/", ISSUER.upper(), "", "http://localhost"]
)
def test_a_token_of_another_issuer_is_rejected(issuer: str) -> None:
    with pytest.raises(SignatureError):
        read(sign(KEYS, replace(TOKEN, issuer=issuer)))


def test_an_expired_token_of_another_issuer_is_not_reported_as_expired() -> None:
    with pytest.raises(SignatureError) as caught:
        read(sign(KEYS, replace(TOKEN, issuer="https://other.example.com")), now=NOW + 3600)

    assert not isinstance(caught.value, SignatureExpired)


def test_an_old_key_still_verifies_and_a_new_one_signs() -> None:
    rotated = JwtKeys(derived_keys(KeyRing(["a newer key, in front", "a key for the test vectors only"])))
    alone = JwtKeys(derived_keys(KeyRing(["a newer key, in front"])))

    assert read(sign(KEYS, TOKEN), keys=rotated) == TOKEN
    assert opened(sign(rotated, TOKEN))[0]["kid"] == alone.signing.kid
    with pytest.raises(SignatureError):
        read(sign(KEYS, TOKEN), keys=alone)


def test_a_token_can_have_at_most_8192_characters() -> None:
    text = sign(KEYS, TOKEN)

    with pytest.raises(SignatureError):
        read(text + "A" * (8193 - len(text)))


def test_a_token_with_a_long_scope_is_valid() -> None:
    """A client may be registered for hundreds of scopes."""
    token = replace(TOKEN, scope=" ".join(f"resource-{number}:read" for number in range(200)))

    assert read(sign(KEYS, token)) == token


def test_a_token_of_a_key_with_a_long_id_is_valid() -> None:
    jwk = ECKey.generate_key("P-256", {"kid": "k" * 500}).as_dict(private=True)
    try:
        keys = JwtKeys(configured_keys([json.dumps(jwk)]))
    except ValueError:
        return  # rejected at the start, when the developer can still fix it
    assert read(sign(keys, TOKEN), keys=keys) == TOKEN


def test_a_deterministic_id_depends_on_every_part() -> None:
    """So a repeated refresh gets the same token."""
    parts = ("family", 3, "nonce", "tasks:read")

    assert deterministic_id(*parts) == "w1iuAsaN8HVE0HmDZXRZWQ"
    others = {
        deterministic_id("family", 4, "nonce", "tasks:read"),
        deterministic_id("family", 3, "nonce2", "tasks:read"),
        deterministic_id("family", 3, "nonce", ""),
        deterministic_id("family", 3, "nonce", "tasks", "read"),
        deterministic_id("family3", "nonce", "tasks:read"),
    }
    assert len(others) == 5
    assert deterministic_id(*parts) not in others


def test_scopes_are_a_set() -> None:
    assert TOKEN.scopes == {"tasks:read", "tasks:write"}
    assert replace(TOKEN, scope="").scopes == frozenset()
