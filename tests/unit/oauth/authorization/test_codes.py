"""Authorization codes: valid for one client, at one issuer, for a minute."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.clock import CLOCK_SKEW
from flask_activepieces.crypto.keyring import KeyRing
from flask_activepieces.errors import SignatureError, SignatureExpired
from flask_activepieces.oauth.authorization.codes import PURPOSE, AuthorizationCode, CodeIssuer, read_code
from flask_activepieces.oauth.grants import Grant

NOW = 1_800_000_000
KEYS = KeyRing(["a key that is long enough"])
ISSUER = "https://app.example.com"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "client_id": "client",
    "grant_id": "grant",
    "user_id": "bob",
    "tenant_id": "acme",
    "organization_id": None,
    "redirect_uri": "https://program.test/callback",
    "scope": "tasks:read",
    "resource": "mcp",
    "code_challenge": None,
}


def issued(**changes: Any) -> str:
    claims = CLAIMS | changes
    grant = Grant(
        id=claims["grant_id"],
        client_id=claims["client_id"],
        tenant_id=claims["tenant_id"],
        user_id=claims["user_id"],
        organization_id=claims["organization_id"],
        workspace_name="Acme",
        scope="tasks:read tasks:write",
        created_at=NOW,
        updated_at=NOW,
    )
    return CodeIssuer(keys=KEYS, clock=lambda: NOW, lifetime=60).issue(
        grant,
        claims["scope"].split(),
        issuer=claims["iss"],
        redirect_uri=claims["redirect_uri"],
        code_challenge=claims["code_challenge"],
        resource=claims["resource"],
    )


def read(
    text: str, *, keys: KeyRing = KEYS, client_id: str = "client", issuer: str = ISSUER, now: int = NOW
) -> AuthorizationCode | None:
    return read_code(keys, text, client_id=client_id, issuer=issuer, now=now)


def test_a_code_has_the_claims_of_its_grant_and_request() -> None:
    code = read(issued())

    assert code is not None
    assert {name: getattr(code, name) for name in CLAIMS} == CLAIMS
    assert code.exp == NOW + 60
    assert len(code.jti) == 22


def test_every_code_is_different() -> None:
    assert len({issued() for _ in range(100)}) == 100


def test_ids_of_the_host_are_unchanged() -> None:
    strange = "é \u202e\U0001f600\x00\"'"

    code = read(issued(user_id=strange, tenant_id=strange))

    assert code is not None
    assert code.user_id == code.tenant_id == strange


def test_another_clients_code_does_not_verify() -> None:
    for client_id in ("another", "CLIENT", "client ", ""):
        with pytest.raises(SignatureError):
            read(issued(), client_id=client_id)


def test_the_client_in_the_payload_must_be_the_client_of_the_key() -> None:
    """The key is derived per client, and the payload names the client again."""
    text = KEYS.sign_json(PURPOSE, CLAIMS | {"jti": "j", "exp": NOW + 60, "client_id": "another"}, context="client")

    assert read(text) is None


def test_a_code_expires_after_a_minute_and_the_clock_skew() -> None:
    """The machine that redeems it may be a minute ahead of the machine that issued it."""
    assert read(issued(), now=NOW + 60 + CLOCK_SKEW - 1) is not None
    with pytest.raises(SignatureExpired):
        read(issued(), now=NOW + 60 + CLOCK_SKEW)


def test_a_code_is_valid_for_a_minute_at_a_machine_whose_clock_is_behind() -> None:
    assert read(issued(), now=NOW - CLOCK_SKEW) is not None


@pytest.mark.parametrize(
    ("issuer", "asked", "good"),
    [
        (ISSUER, ISSUER, True),
        (ISSUER, "https://other.example.com", False),
        (ISSUER, f"{ISSUER}/", False),
        ("http://localhost:5000", "http://127.0.0.1:5000", True),
        ("http://localhost:5000", "http://127.0.0.1:5001", False),
    ],
)
def test_a_code_is_valid_at_its_issuer_only(issuer: str, asked: str, good: bool) -> None:
    assert (read(issued(iss=issuer), issuer=asked) is not None) is good


def test_an_old_key_still_verifies_a_code() -> None:
    rotated = KeyRing(["a newer key, in front", "a key that is long enough"])

    assert read(issued(), keys=rotated) is not None
    with pytest.raises(SignatureError):
        read(issued(), keys=KeyRing(["a newer key, alone, now"]))


@pytest.mark.parametrize("purpose", ["pending request", "consent", "page", "refresh token"])
def test_a_signature_for_another_purpose_is_not_valid(purpose: str) -> None:
    text = KEYS.sign_json(purpose, CLAIMS | {"jti": "j", "exp": NOW + 60}, context="client")

    with pytest.raises(SignatureError):
        read(text)


@pytest.mark.parametrize("text", ["", "v1", "v1..", "a.0.b.c", "é", "\x00", "v1.e30.", "\ud800.."])
def test_an_invalid_code_is_rejected(text: str) -> None:
    with pytest.raises(SignatureError):
        read(text)


@pytest.mark.parametrize("another", [{"audience": "tasks"}, {"grant_id": ...}], ids=["more", "less"])
def test_a_code_of_another_version_is_not_valid(another: dict[str, Any]) -> None:
    """While an upgrade is rolled out, workers of two versions answer in turn."""
    claims = {"jti": "jti", "exp": NOW + 60} | CLAIMS | another
    known = {name: value for name, value in claims.items() if value is not ...}

    assert read(KEYS.sign_json(PURPOSE, known, context="client")) is None
