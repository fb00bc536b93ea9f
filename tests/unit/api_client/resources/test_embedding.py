"""Signed tokens: no token is signed that Activepieces could mistake for another user's."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from flask_activepieces.api_client.embedding_token import MAX_LIFETIME, EmbeddedUser, sign_embedding_token
from flask_activepieces.api_client.errors import AuthenticationFailed, RouteNotFound
from flask_activepieces.api_client.resources.embedding import Embedding
from flask_activepieces.errors import InvalidInput
from tests.support.calls import says

NOW = 1_800_000_000
EVE: dict[str, Any] = {
    "external_user_id": "u-1",
    "external_project_id": "tenant-1",
    "first_name": "Eve",
    "last_name": "Embed",
}


@cache
def private_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """The key in the format in which Activepieces shows its signing keys: PKCS#1."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


def opened(token: str) -> jwt.Token:
    """The header and claims of the token, after its signature was verified."""
    return jwt.decode(token, RSAKey.import_key(private_key().public_key()), algorithms=["RS256"])


def signed(**changes: Any) -> jwt.Token:
    return opened(sign_embedding_token(pem(private_key()), "kid-1", EmbeddedUser(**{**EVE, **changes}), now=NOW))


def test_the_token_has_user_project_and_key_id() -> None:
    token = signed(role="Editor")

    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
    assert token.claims == {
        "version": "v4",
        "externalUserId": "u-1",
        "externalProjectId": "tenant-1",
        "firstName": "Eve",
        "lastName": "Embed",
        "role": "Editor",
        "iat": NOW,
        "exp": NOW + 300,
    }


def test_without_a_role_the_server_chooses_one() -> None:
    assert "role" not in signed().claims


def test_a_piece_set_is_named_in_the_fourth_version_of_the_token() -> None:
    claims = signed(piece_set="crm-only").claims

    assert (claims["version"], claims["pieceSet"]) == ("v4", "crm-only")
    assert "piecesFilterType" not in claims


@pytest.mark.parametrize("tags", [("crm", "free"), ()])
def test_piece_tags_need_the_third_version_of_the_token(tags: tuple[str, ...]) -> None:
    claims = signed(piece_tags=tags).claims

    assert claims["version"] == "v3"
    assert "pieceSet" not in claims
    assert claims["piecesFilterType"] == "ALLOWED"
    assert claims["piecesTags"] == list(tags)


@pytest.mark.parametrize("field", EVE)
@pytest.mark.parametrize("nothing", ["", "  ", None, 7])
def test_a_user_without_ids_or_names_is_refused(field: str, nothing: object) -> None:
    """Activepieces would accept such a token, and may open another user's session."""
    with pytest.raises(InvalidInput) as refused:
        EmbeddedUser(**{**EVE, field: nothing})

    assert set(refused.value.fields) == {field}
    assert refused.value.fields[field].startswith("is required: pass ")


def test_all_missing_fields_are_reported_together() -> None:
    with pytest.raises(InvalidInput) as refused:
        EmbeddedUser(external_user_id="", external_project_id="", first_name="", last_name="")

    assert set(refused.value.fields) == set(EVE)


def test_an_empty_role_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        EmbeddedUser(**EVE, role="")

    assert set(refused.value.fields) == {"role"}


def test_a_piece_set_and_tags_exclude_each_other() -> None:
    with pytest.raises(InvalidInput) as refused:
        EmbeddedUser(**EVE, piece_set="crm-only", piece_tags=("crm",))

    assert set(refused.value.fields) == {"piece_set"}


@pytest.mark.parametrize("nothing", ["", " ", 7])
def test_a_piece_set_without_a_key_is_refused(nothing: Any) -> None:
    """Activepieces would show every piece instead."""
    with pytest.raises(InvalidInput) as refused:
        EmbeddedUser(**EVE, piece_set=nothing)

    assert set(refused.value.fields) == {"piece_set"}


def test_a_key_id_is_required() -> None:
    with pytest.raises(InvalidInput) as refused:
        sign_embedding_token(pem(private_key()), " ", EmbeddedUser(**EVE), now=NOW)

    assert set(refused.value.fields) == {"key_id"}


@pytest.mark.parametrize("lifetime", [0, -1, MAX_LIFETIME + 1])
def test_tokens_are_short_lived(lifetime: int) -> None:
    with pytest.raises(ValueError, match="seconds"):
        sign_embedding_token(pem(private_key()), "kid-1", EmbeddedUser(**EVE), now=NOW, lifetime=lifetime)


def public_half() -> str:
    return (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----", "must be a PEM private key"),
        ("canary", "must be a PEM private key"),
        (public_half(), "must be a PEM private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "must be an RSA key"),
        (pem(private_key(1024)), "2048 bits"),
    ],
    ids=["damaged", "no key", "public", "elliptic", "short"],
)
def test_a_key_that_cannot_sign_is_named_and_never_shown(text: str, cause: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        sign_embedding_token(text, "kid-1", EmbeddedUser(**EVE), now=NOW)

    assert cause in refused.value.fields["signing_key"]
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


# --- The resource ---------------------------------------------------------------------------------


def test_a_token_is_exchanged_for_a_session() -> None:
    transport = says("managed-authn: v3, role Editor")

    session = Embedding(transport).exchange("signed")

    assert (session.user_id, session.external_id) == ("PSSXsd0Bt63IyUzDsXOzY", "u-1")
    assert (session.project_id, session.platform_role) == ("SVj6PjYpP6ryy5okI1fYx", "MEMBER")
    assert session.token.startswith("eyJ")
    assert session.token not in repr(session)
    assert transport.lines == ["POST /managed-authn/external-token"]
    assert transport.last.body == {"externalAccessToken": "signed"}
    assert not transport.last.authenticate


@pytest.mark.parametrize(
    "name",
    [
        "managed-authn: unknown role",
        "managed-authn: expired",
        "managed-authn: unknown kid",
        "managed-authn: signed by another key",
    ],
)
def test_a_rejected_token_is_an_authentication_failure(name: str) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        Embedding(says(name)).exchange("signed")

    assert refused.value.status == 401


def test_the_community_edition_has_no_signed_users() -> None:
    with pytest.raises(RouteNotFound):
        Embedding(says("CE POST /api/v1/managed-authn/external-token")).exchange("signed")


def test_new_origins_are_added() -> None:
    transport = says({"allowedEmbedOrigins": ["https://a.example", "https://b.example"]})

    allowed = Embedding(transport).allow_origins(["https://b.example"])

    assert list(allowed) == ["https://a.example", "https://b.example"]
    assert transport.lines == ["POST /embed-subdomain/allowed-embed-origins"]
    assert transport.last.body == {"allowedEmbedOrigins": ["https://b.example"]}


def test_no_origins_are_not_sent() -> None:
    transport = says()

    with pytest.raises(InvalidInput):
        Embedding(transport).allow_origins([])

    assert transport.calls == []
