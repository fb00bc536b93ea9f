"""Pending requests: not stored, readable by anyone, changed by no one, valid in one browser for half an hour."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from flask_activepieces.crypto.keyring import KeyRing, context_of, from_base64url, sha256_hex
from flask_activepieces.errors import SignatureError, SignatureExpired
from flask_activepieces.host.interface import Principal
from flask_activepieces.oauth.authorization.pending_requests import LIFETIME, PURPOSE, PendingRequests
from flask_activepieces.oauth.authorization.request import AuthorizationRequest

NOW = 1_800_000_000
KEYS = KeyRing(["a key that is long enough"])
REQUEST = AuthorizationRequest(
    client_id="client",
    redirect_uri="https://program.test/callback",
    redirect_uri_given=True,
    scope="tasks:read",
    state="é \x00\U0001f600",
    code_challenge="A" * 43,
    resource="api",
    prompt=None,
)
BARE = replace(REQUEST, redirect_uri_given=False, state=None, code_challenge=None, prompt="consent")
BOB = Principal("bob", "acme", "Bob")


def pending(now: int = NOW, keys: KeyRing = KEYS) -> PendingRequests:
    return PendingRequests(keys=keys, clock=lambda: now)


def sealed(request: AuthorizationRequest = REQUEST, browser: str = "browser") -> str:
    return pending().seal(request, browser=browser)


@pytest.mark.parametrize("request_", [REQUEST, BARE])
def test_a_request_is_opened_unchanged(request_: AuthorizationRequest) -> None:
    later = pending(NOW + LIFETIME - 1)

    assert later.open(sealed(request_), browser="browser") == request_


def test_a_request_expires_after_half_an_hour() -> None:
    with pytest.raises(SignatureExpired):
        pending(NOW + LIFETIME).open(sealed(), browser="browser")


@pytest.mark.parametrize("browser", ["another", "BROWSER", "browser ", "", None, "é"])
def test_another_browser_cannot_open_a_request(browser: str | None) -> None:
    with pytest.raises(SignatureError):
        pending().open(sealed(), browser=browser)


def test_the_id_does_not_contain_the_cookie_of_the_browser() -> None:
    """The id is in addresses and logs; the cookie is not."""
    payload = from_base64url(sealed(browser="the browser").split(".")[1])

    assert b"the browser" not in payload


@pytest.mark.parametrize("purpose", ["authorization code", "consent", "page", "refresh token", ""])
def test_a_signature_for_another_purpose_is_invalid(purpose: str) -> None:
    claims = vars(REQUEST) | {"browser": "x", "exp": NOW + 60}

    with pytest.raises(SignatureError):
        pending().open(KEYS.sign_json(purpose, claims), browser="browser")


def test_an_old_key_still_opens_pending_requests() -> None:
    rotated = KeyRing(["a newer key, in front", "a key that is long enough"])

    assert pending(keys=rotated).open(sealed(), browser="browser") == REQUEST


def test_a_consent_token_is_valid_for_one_request_and_one_user_in_one_tenant() -> None:
    token = pending().consent_token("request", BOB)

    pending().verify_consent_token(token, "request", BOB)
    for request_id, tenant_id, user_id in (
        ("another", "acme", "bob"),
        ("request", "acme", "alice"),
        ("request", "acme", ""),
        ("request", "acme", "bob "),
        ("request", "globex", "bob"),
        ("request", "acmeb", "ob"),
        ("request", "acme, bob", ""),
        ("", "acme", "bob"),
        ("requestbob", "acme", ""),
    ):
        with pytest.raises(SignatureError):
            pending().verify_consent_token(token, request_id, someone(user_id, tenant_id))


def someone(user_id: str, tenant_id: str) -> Principal:
    """A principal with any ids, also those that `Principal` rejects."""
    principal = Principal("x", "x", "x")
    object.__setattr__(principal, "user_id", user_id)
    object.__setattr__(principal, "tenant_id", tenant_id)
    return principal


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800", "\x00", "None"])
def test_an_invalid_consent_token_is_rejected(token: str) -> None:
    with pytest.raises(SignatureError):
        pending().verify_consent_token(token, "request", BOB)


def test_a_consent_token_has_its_own_purpose() -> None:
    token = pending().consent_token("request", BOB)

    for purpose in ("page", PURPOSE, "authorization code"):
        with pytest.raises(SignatureError):
            KEYS.verify(purpose, b"request", token, context=context_of("acme", "bob"))


@pytest.mark.parametrize("another", [{"audience": "tasks"}, {"scope": ...}, {"browser": ...}], ids=str)
def test_a_request_of_another_version_must_start_again(another: dict[str, Any]) -> None:
    """While an upgrade is rolled out, workers of two versions answer in turn."""
    changed = asdict(REQUEST) | {"browser": sha256_hex("browser"), "exp": NOW + 60} | another
    claims = {name: value for name, value in changed.items() if value is not ...}

    with pytest.raises(SignatureError):
        pending().open(KEYS.sign_json(PURPOSE, claims), browser="browser")
